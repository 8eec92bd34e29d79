// Builds the records again after the table was lost: nodes and sites from the newest manifest, or, where there is none, from
// where archives lie; then each backup from its archive's own index. Said twice it goes on, and changes nothing that is there.
import { parseObjectPath } from "#shared/object-key.ts";
import { decodeManifest, type Manifest } from "../core/manifest.ts";
import { mergePrefixes } from "../core/merge-prefixes.ts";
import {
  nodeFromManifest,
  placeholderNode,
  placeholderSite,
  siteFromManifest,
} from "../core/rebuilt-records.ts";
import type { SiteRecord } from "../core/records.ts";
import { isOwnKey } from "../core/storage-report.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import { adoptObject } from "./adopt-object.ts";

export type RebuildDeps = Deps<"records" | "objects" | "objectList" | "manifests" | "queues">;

export interface RebuildReport {
  /** The day of the manifest that was used. */
  manifest: string | null;
  nodes: number;
  sites: number;
  backups: number;
  /** Made up, because no manifest has them. */
  unknown_nodes: string[];
  unknown_sites: string[];
  /** Objects that were left alone, and why. */
  refused: { key: string; why: string }[];
}

export interface RebuildOptions {
  /** Its day; the newest if left out. */
  readonly manifest?: string | undefined;
  readonly onProgress?: (report: RebuildReport) => void;
}

interface Work {
  readonly deps: RebuildDeps;
  readonly report: RebuildReport;
  readonly marks: ReadonlyMap<string, Manifest["backups"][number]>;
}

const AT_ONCE = 8;

export async function rebuildRecords(options: RebuildOptions, deps: RebuildDeps): Promise<RebuildReport> {
  const date = options.manifest ?? (await deps.manifests.dates()).at(-1);
  const manifest = date === undefined ? undefined : decodeManifest(await deps.manifests.read(date));
  const counts = { nodes: 0, sites: 0, backups: 0, unknown_nodes: [], unknown_sites: [], refused: [] };
  const report: RebuildReport = { manifest: date ?? null, ...counts };
  const marks = new Map(manifest?.backups.map((one) => [one.s3_path, one]));
  const work = { deps, report, marks };
  if (manifest !== undefined) await restoreManifest(manifest, work);
  let batch: Promise<void>[] = [];
  for await (const { prefix, objects } of mergePrefixes([], deps.objectList.objectsAfter(""))) {
    if (prefix === undefined) {
      for (const { key } of objects)
        if (!isOwnKey(key)) report.refused.push({ key, why: "no key of a backup" });
      continue;
    }
    // Before any of its node's other sites: two at once would both make up the node.
    const isKnown = await ensureSite(objects, work);
    if (isKnown) batch.push(adoptAll(objects, work));
    if (batch.length < AT_ONCE) continue;
    await Promise.all(batch);
    batch = [];
    options.onProgress?.(report);
  }
  await Promise.all(batch);
  return report;
}

async function restoreManifest({ nodes, sites }: Manifest, { deps, report }: Work): Promise<void> {
  const { records, queues } = deps;
  for (const node of nodes) {
    // The queue may be gone with the table; a removed node has none.
    const queueUrl = node.life === "live" ? await queues.create(node.id) : node.queue_url;
    if (await records.nodes.restore(nodeFromManifest(node, queueUrl))) report.nodes += 1;
  }
  for (const site of sites) if (await records.sites.restore(siteFromManifest(site))) report.sites += 1;
}

/** False if nothing there looks like a backup. */
async function ensureSite(objects: readonly StoredObject[], { deps, report }: Work): Promise<boolean> {
  const { records, queues, now } = deps;
  const keys = objects.map(({ key }) => key).filter((key) => parseObjectPath(`/${key}`) !== undefined);
  const place = parseObjectPath(`/${keys[0]}`);
  if (place === undefined) {
    for (const { key } of objects) report.refused.push({ key, why: "no key of a backup" });
    return false;
  }
  const { nodeId, siteId } = place;
  if ((await records.sites.get(siteId)) !== undefined) return true;
  if ((await records.nodes.get(nodeId)) === undefined) {
    await records.nodes.restore(placeholderNode(nodeId, await queues.create(nodeId), now()));
    report.unknown_nodes.push(nodeId);
  }
  const site = placeholderSite(place, keys, now());
  const other: SiteRecord = { ...site, name: `site-${siteId.slice(0, 8)}` };
  // Another site of the node may have that name by now.
  if (!(await records.sites.restore(site))) await records.sites.restore(other);
  report.unknown_sites.push(siteId);
  return true;
}

/** One after the other: each changes its site. */
async function adoptAll(objects: readonly StoredObject[], { deps, report, marks }: Work): Promise<void> {
  for (const object of objects) {
    const verdict = await adoptObject(object, deps, { isQuiet: true, isAwaited: false });
    if (verdict.kind === "adopted") {
      report.backups += 1;
      const { hold, verification_failed } = marks.get(verdict.backup.s3_path) ?? {};
      const set = {
        ...(hold === undefined ? {} : { hold: hold as NonNullable<typeof verdict.backup.hold> }),
        ...(verification_failed === undefined
          ? {}
          : {
              verification_failed: verification_failed as NonNullable<
                typeof verdict.backup.verification_failed
              >,
            }),
      };
      if (Object.keys(set).length > 0)
        await deps.records.commit({ jobs: [], mark: { backup: verdict.backup, set } });
    } else if ("why" in verdict && verdict.kind !== "recorded") {
      report.refused.push({ key: object.key, why: verdict.why });
    }
  }
}
