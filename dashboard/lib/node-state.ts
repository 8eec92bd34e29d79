// What a node's last heartbeat means, and which of the sites it found nobody protects.
import type { Node } from "#shared/contracts/nodes.ts";
import type { Site } from "#shared/contracts/sites.ts";

/** Heartbeats come every minute; the Master counts a node as silent after three. */
const SILENT_MS = 3 * 60_000;

export interface NodeState {
  readonly tone: "good" | "bad" | "quiet" | "busy";
  readonly word: string;
}

export function nodeState(node: Node, now: Date): NodeState {
  if (node.state === "disabled") return { tone: "quiet", word: "Disabled" };
  if (node.last_seen_at === undefined) return { tone: "busy", word: "Enrolled, not heard of" };
  if (now.getTime() - Date.parse(node.last_seen_at) > SILENT_MS) return { tone: "bad", word: "Silent" };
  return node.running_job_id === null || node.running_job_id === undefined
    ? { tone: "good", word: "Ready" }
    : { tone: "busy", word: "Backing up" };
}

/** Less than a tenth, or than 10 GB: a dump of some size, or what a restore keeps for undo, may not fit. */
export function isDiskLow({ disk_free_bytes: free, disk_total_bytes: total }: Node): boolean {
  if (free === undefined) return false;
  return free < 10e9 || (total !== undefined && free < total / 10);
}

/** What needs somebody first, then by name. */
export function worstFirst(nodes: readonly Node[], now: Date): Node[] {
  const weight = (node: Node): number => {
    const { tone } = nodeState(node, now);
    return tone === "bad" ? 0 : isDiskLow(node) ? 1 : 2;
  };
  return nodes.toSorted(
    (a, b) => weight(a) - weight(b) || a.name.localeCompare(b.name, "en", { numeric: true }),
  );
}

export interface FoundSite {
  readonly node: Node;
  readonly path: string;
  readonly url: string | undefined;
}

export function unprotectedSites(nodes: readonly Node[], sites: readonly Site[]): FoundSite[] {
  const known = new Set(sites.map((site) => `${site.node_id} ${site.path}`));
  return nodes
    .filter(({ state }) => state === "active")
    .flatMap((node) => (node.discovered_sites ?? []).map(({ path, url }) => ({ node, path, url })))
    .filter(({ node, path }) => !known.has(`${node.id} ${path}`));
}

const NAME = /^[A-Za-z0-9](?:-*[A-Za-z0-9]|[._][A-Za-z0-9])*$/;

/** A name to begin with, from the site's address or its directory; always one that the API takes. */
export function suggestName({ path, url }: Pick<FoundSite, "path" | "url">): string {
  const host = url === undefined ? undefined : URL.parse(url)?.hostname;
  const candidates = [host, ...path.split("/").toReversed()];
  const plain = candidates.map((text) => (text ?? "").replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 63));
  return plain.find((text) => NAME.test(text)) ?? "site";
}
