// Which schedules and queues there should be, by the records, and what of those that there are is not so. Nothing is a stray
// only because no record knows it: a table that was lost must not take the schedules and queues with it.
import type { ScheduledJobType } from "#shared/contracts/jobs.ts";
import type { Schedule } from "#shared/contracts/sites.ts";
import type { NodeRecord, SiteRecord } from "./records.ts";

/** As EventBridge Scheduler lists it. */
export interface ListedSchedule {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly targetArn: string;
}

/** As SQS lists it. */
export interface ListedQueue {
  readonly name: string;
  readonly url: string;
}

export type ScheduleDrift =
  | {
      readonly kind: "schedule_missing" | "schedule_wrong";
      readonly name: string;
      readonly siteId: string;
      readonly why: string;
    }
  | { readonly kind: "schedule_stray" | "schedule_unknown"; readonly name: string; readonly why: string };

export type QueueDrift =
  | { readonly kind: "queue_missing"; readonly name: string; readonly nodeId: string; readonly why: string }
  | {
      readonly kind: "queue_stray" | "queue_unknown";
      readonly name: string;
      readonly url: string;
      readonly why: string;
    };

const PREFIXES = { backup: "site", verify: "proof" } as const;
const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const NAME = new RegExp(`^(site|proof)-(${UUID})$`);

export function scheduleName(siteId: string, type: ScheduledJobType): string {
  return `${PREFIXES[type]}-${siteId}`;
}

/** undefined for a name that is not ours. */
export function scheduleOf(name: string): { siteId: string; type: ScheduledJobType } | undefined {
  const [, prefix, siteId] = NAME.exec(name) ?? [];
  if (prefix === undefined || siteId === undefined) return undefined;
  return { siteId, type: prefix === "site" ? "backup" : "verify" };
}

/** What a site wants; none of a removed one. A paused site's are switched off. */
export function wantedSchedules(site: SiteRecord): { type: ScheduledJobType; schedule: Schedule }[] {
  if (site.life !== "live") return [];
  const wanted = (type: ScheduledJobType, schedule: Schedule | undefined) =>
    schedule === undefined
      ? []
      : [{ type, schedule: { ...schedule, enabled: schedule.enabled && site.state === "active" } }];
  return [...wanted("backup", site.schedule), ...wanted("verify", site.proof)];
}

/** `sites`: all of them, the removed ones included. `arnOf`: of a node's queue. */
export function scheduleDrift(
  sites: readonly SiteRecord[],
  listed: readonly ListedSchedule[],
  arnOf: (nodeId: string) => string,
): ScheduleDrift[] {
  const there = new Map(listed.map((one) => [one.name, one]));
  const wantedNames = new Set<string>();
  const drift: ScheduleDrift[] = [];
  for (const site of sites) {
    for (const { type, schedule } of wantedSchedules(site)) {
      const name = scheduleName(site.id, type);
      wantedNames.add(name);
      const found = there.get(name);
      const why = found === undefined ? "" : whatIsWrong(found, schedule, arnOf(site.node_id));
      if (why === undefined) continue;
      const kind = found === undefined ? "schedule_missing" : "schedule_wrong";
      drift.push({ kind, name, siteId: site.id, why: why || `of the site ${site.name}` });
    }
  }
  const known = new Map(sites.map((site) => [site.id, site]));
  for (const { name } of listed) {
    if (!wantedNames.has(name)) drift.push(strayOf(name, known));
  }
  return drift;
}

function whatIsWrong(found: ListedSchedule, schedule: Schedule, arn: string): string | undefined {
  if (found.targetArn !== arn) return "it sends to another queue";
  if (found.isEnabled !== schedule.enabled)
    return found.isEnabled ? "it is switched on" : "it is switched off";
  return undefined;
}

function strayOf(name: string, sites: ReadonlyMap<string, SiteRecord>): ScheduleDrift {
  const own = scheduleOf(name);
  if (own === undefined) return { kind: "schedule_unknown", name, why: "its name is not one of ours" };
  const site = sites.get(own.siteId);
  if (site === undefined) return { kind: "schedule_unknown", name, why: "no site on record has that id" };
  const why = site.life === "live" ? "the site has no such schedule" : "its site was removed";
  return { kind: "schedule_stray", name, why };
}

/** `nodes`: all of them, the removed ones included; a queue is a stray only if its node was removed. */
export function queueDrift(
  nodes: readonly NodeRecord[],
  listed: readonly ListedQueue[],
  nameOf: (nodeId: string) => string,
): QueueDrift[] {
  const there = new Map(listed.map((one) => [one.name, one]));
  const known = new Set(nodes.map(({ id }) => nameOf(id)));
  const drift = nodes.flatMap((node): QueueDrift[] => {
    const name = nameOf(node.id);
    const queue = there.get(name);
    if (node.life === "live" && queue === undefined) {
      return [{ kind: "queue_missing", name, nodeId: node.id, why: `of the node ${node.name}` }];
    }
    if (node.life === "live" || queue === undefined) return [];
    return [{ kind: "queue_stray", name, url: queue.url, why: "its node was removed" }];
  });
  const unknown = listed
    .filter(({ name }) => !known.has(name))
    .map(
      ({ name, url }): QueueDrift => ({
        kind: "queue_unknown",
        name,
        url,
        why: "no node on record has that id",
      }),
    );
  return [...drift, ...unknown];
}
