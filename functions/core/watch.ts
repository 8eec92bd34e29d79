// What is wrong with the fleet now, as facts: sites that are not backed up by their own schedule, proofs that are too old,
// nodes that are silent, WordPress sites that nobody protects. Told of nothing twice: what a silent node explains is its.
import { createHash } from "node:crypto";
import type { ProblemKind } from "#shared/contracts/alerts.ts";
import type { Schedule } from "#shared/contracts/sites.ts";
import { type HealthRule, openHealthRule } from "#shared/site-health.ts";
import type { NodeRecord, SiteRecord } from "./records.ts";
import { viewSite } from "./view.ts";

export interface Problem {
  /** The same for as long as it is the same problem. */
  readonly key: string;
  readonly kind: ProblemKind;
  readonly target: { readonly kind: "site" | "node"; readonly id: string };
  readonly tenant?: string;
  /** One line for people. */
  readonly text: string;
}

export interface WatchedFleet {
  readonly sites: readonly SiteRecord[];
  readonly nodes: readonly NodeRecord[];
  readonly heartbeatSeconds: number;
}

/** A restart or a short network fault is over by then. */
const SILENT_MS = 15 * 60_000;
const SILENT_BEATS = 3;
/** Time to give a new site its schedule. */
const SETTLE_MS = 24 * 3_600_000;

/** What is looked at, when, and the rule, which remembers due times from site to site. */
interface View {
  readonly now: Date;
  readonly healthOf: HealthRule;
}

/** `healthOf`: one that has been asked before is faster. */
export function findProblems(
  fleet: WatchedFleet,
  now: Date,
  healthOf: HealthRule = openHealthRule(),
): Problem[] {
  const view = { now, healthOf };
  const silent = silentNodes(fleet, now);
  const nodes = new Map(fleet.nodes.map((node) => [node.id, node]));
  // A tenant is not told of a shared node's silence, only of what it does to their site.
  const isExplained = (site: SiteRecord): boolean =>
    silent.has(site.node_id) && nodes.get(site.node_id)?.tenant === site.tenant;
  const sites = fleet.sites
    .filter((site) => site.state === "active" && !isExplained(site))
    .flatMap((site) => problemsOfSite(site, nodes.get(site.node_id)?.name ?? site.node_id, view));
  // Neither a silent node nor a pause explains that archives are gone.
  const storage = fleet.sites.flatMap((site) =>
    storageProblems(site, nodes.get(site.node_id)?.name ?? site.node_id),
  );
  return [...silentProblems(fleet, silent), ...sites, ...storage, ...discoveredProblems(fleet, now)];
}

function silentNodes({ nodes, heartbeatSeconds }: WatchedFleet, now: Date): Set<string> {
  const quietMs = Math.max(SILENT_MS, SILENT_BEATS * heartbeatSeconds * 1000);
  const before = new Date(now.getTime() - quietMs).toISOString();
  const silent = nodes.filter(
    (node) => node.state === "active" && (node.last_seen_at ?? node.created_at) < before,
  );
  return new Set(silent.map(({ id }) => id));
}

function silentProblems({ nodes, sites }: WatchedFleet, silent: ReadonlySet<string>): Problem[] {
  const counts = new Map<string, number>();
  for (const { node_id: id } of sites) counts.set(id, (counts.get(id) ?? 0) + 1);
  return nodes
    .filter(({ id }) => silent.has(id))
    .map(({ id, name, tenant, last_seen_at: seenAt }) => ({
      ...problem("node_silent", "node", { id, tenant }),
      text: `Node ${name} is silent since ${seenAt ?? "its enrolment"}; ${sitesText(counts.get(id) ?? 0)}.`,
    }));
}

function sitesText(count: number): string {
  return count === 0
    ? "it has no sites"
    : `its ${count === 1 ? "site is" : `${count} sites are`} not backed up`;
}

function problemsOfSite(site: SiteRecord, nodeName: string, view: View): Problem[] {
  const where = `${site.name} on ${nodeName}`;
  const found = (kind: ProblemKind, text: string): Problem => ({ ...problem(kind, "site", site), text });
  return [
    ...protection(site, where, view, found),
    ...proof(site, where, view, found),
    ...(site.retention_stop === undefined
      ? []
      : [found("retention_stopped", `${where}: nothing is deleted any more until somebody has looked.`)]),
  ];
}

type Found = (kind: ProblemKind, text: string) => Problem;

function protection(site: SiteRecord, where: string, view: View, found: Found): Problem[] {
  const { now, healthOf } = view;
  const health = healthOf(viewSite(site), now);
  if (health === "failing") {
    const why = site.last_job?.state ?? "failed";
    return [
      found(
        "site_failing",
        `${where}: the last backup ended as ${why}; the newest is of ${site.last_backup_at ?? "never"}.`,
      ),
    ];
  }
  if (site.schedule?.enabled !== true) {
    const isNew = now.getTime() - Date.parse(site.created_at) < SETTLE_MS;
    return isNew ? [] : [found("site_unprotected", `${where} has no schedule, so it is not backed up.`)];
  }
  // A site without any backup counts from the day that it came.
  const last = site.last_backup_at ?? site.created_at;
  if (!isLate(site, site.schedule, last, view)) return [];
  return [
    found("site_overdue", `${where} is overdue: its newest backup is of ${site.last_backup_at ?? "never"}.`),
  ];
}

function proof(site: SiteRecord, where: string, view: View, found: Found): Problem[] {
  if (site.proof?.enabled !== true) return [];
  const at = site.last_proved_at;
  if (!isLate(site, site.proof, at ?? site.created_at, view)) return [];
  return [found("proof_too_old", `${where}: that its backups restore was last proved ${at ?? "never"}.`)];
}

function storageProblems(site: SiteRecord, nodeName: string): Problem[] {
  const { storage_fault: fault } = site;
  if (fault === undefined) return [];
  const where = `${site.name} on ${nodeName}: ${fault.count} of its backups`;
  const text = `${where} are gone from the storage, or are other objects now (${fault.backup_ids[0]}).`;
  return [{ ...problem("backups_missing", "site", site), text }];
}

/** Whether the schedule has called since `last` for something that should be there by now. */
function isLate(site: SiteRecord, schedule: Schedule, last: string, { now, healthOf }: View): boolean {
  const facts = {
    state: "active",
    created_at: site.created_at,
    schedule,
    last_backup_at: last,
    last_job: null,
  } as const;
  return healthOf(facts, now) === "overdue";
}

/** Only what was there a while: an installation that somebody is about to add is no news. */
function discoveredProblems({ nodes, sites }: WatchedFleet, now: Date): Problem[] {
  const settled = new Date(now.getTime() - SETTLE_MS).toISOString();
  const finders = nodes.filter(
    ({ state, created_at, discovered_sites: found = [] }) =>
      state === "active" && created_at < settled && found.length > 0,
  );
  const finderIds = new Set(finders.map(({ id }) => id));
  const known = new Set(
    sites.filter((site) => finderIds.has(site.node_id)).map((site) => `${site.node_id} ${site.path}`),
  );
  return finders.flatMap((node) =>
    (node.discovered_sites ?? [])
      .filter(({ path }) => !known.has(`${node.id} ${path}`))
      .map(({ path }) => ({
        ...problem("site_discovered", "node", node, path),
        text: `${node.name} has a WordPress in ${path} that nobody protects.`,
      })),
  );
}

function problem(
  kind: ProblemKind,
  of: "site" | "node",
  { id, tenant }: { readonly id: string; readonly tenant?: string | undefined },
  detail = "",
): Omit<Problem, "text"> {
  // A path may be longer than a key can be.
  const suffix = detail === "" ? "" : `:${createHash("sha256").update(detail).digest("hex").slice(0, 16)}`;
  const whose = tenant === undefined ? {} : { tenant };
  return { key: `${kind}:${id}${suffix}`, kind, target: { kind: of, id }, ...whose };
}
