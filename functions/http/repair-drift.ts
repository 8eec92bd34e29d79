// Holds schedules and queues against the records, and sets right what is not as it should be. Every repair begins by reading
// its record again, so that one that is just changing is not set back.
import type { DriftFinding, DriftKind, DriftReport } from "#shared/contracts/upkeep.ts";
import {
  type QueueDrift,
  queueDrift,
  type ScheduleDrift,
  scheduleDrift,
  scheduleName,
  scheduleOf,
  wantedSchedules,
} from "../core/drift.ts";
import { queueArn, queueName } from "../core/queue-names.ts";
import type { NodeRecord, SiteRecord } from "../core/records.ts";
import { addFinding } from "../core/storage-report.ts";
import type { Deps } from "../deps.ts";
import { settleRace } from "../stores/settle-race.ts";
import { putSchedules } from "./site-schedules.ts";

export type DriftDeps = Deps<"records" | "schedules" | "queues">;

export interface DriftOptions {
  readonly isDryRun: boolean;
  /** Whether all of that site's schedules, or of that node's queue, is to be compared, which takes a call for each. */
  readonly isDue: (id: string) => boolean;
  readonly hasTime: () => boolean;
}

interface Found {
  readonly kind: DriftKind;
  readonly name: string;
  readonly why: string;
  /** None where it is left alone. */
  readonly repair?: () => Promise<void>;
}

const AT_ONCE = 8;

export async function repairDrift(options: DriftOptions, deps: DriftDeps): Promise<DriftReport> {
  const { records, schedules, queues } = deps;
  // Listed before the records are read: what comes between the two is on record, and found missing at worst.
  const [listedSchedules, listedQueues] = await Promise.all([
    collect(schedules.list()),
    collect(queues.list()),
  ]);
  const [sites, nodes] = await Promise.all([records.sites.everyOne(), records.nodes.everyOne()]);
  const report: DriftReport = {
    at: deps.now().toISOString(),
    dry_run: options.isDryRun,
    schedules: listedSchedules.length,
    queues: listedQueues.length,
    ...{ counts: {}, findings: [], finished: true },
  };
  const arnOf = (nodeId: string): string => queueArn(deps.config, nodeId);
  const nameOf = (nodeId: string): string => queueName(deps.config, nodeId);
  const drift = scheduleDrift(sites, listedSchedules, arnOf);
  const found = [
    // A schedule needs its queue.
    ...queueDrift(nodes, listedQueues, nameOf).map((one) => queueRepair(one, deps)),
    ...drift.map((one) => scheduleRepair(one, deps)),
  ];
  await inTurns(found, options, report, async (one) => settle(one, report, deps));
  const broken = new Set(drift.map(({ name }) => name));
  const due = {
    sites: sites.filter(({ id }) => options.isDue(id)),
    nodes: nodes.filter(({ id }) => options.isDue(id)),
  };
  await inTurns(due.sites, options, report, (site) => compareSchedules(site, broken, report, deps));
  await inTurns(due.nodes, options, report, (node) => compareQueue(node, report, deps));
  deps.log.info("drift", { ...report, findings: undefined });
  return report;
}

async function settle({ repair, ...found }: Found, report: DriftReport, deps: DriftDeps): Promise<void> {
  const finding: DriftFinding = { kind: found.kind, name: found.name, detail: found.why, error: null };
  if (report.dry_run || repair === undefined) return addFinding(report, finding);
  try {
    await repair();
    addFinding(report, finding);
  } catch (error) {
    deps.log.error("drift not repaired", { ...found, error: error as Error });
    addFinding(report, { ...finding, error: (error as Error).message });
  }
}

function scheduleRepair(drift: ScheduleDrift, deps: DriftDeps): Found {
  if ("siteId" in drift) return { ...drift, repair: () => putAsRecorded(drift.siteId, deps) };
  return drift.kind === "schedule_unknown"
    ? drift
    : { ...drift, repair: () => removeStray(drift.name, deps) };
}

/** Again if the site was changed meanwhile: whoever changed it may have been overtaken. */
async function putAsRecorded(siteId: string, deps: DriftDeps): Promise<void> {
  await settleRace(async () => {
    const site = await deps.records.sites.get(siteId);
    if (site?.life !== "live") return true;
    await putSchedules(site, deps);
    const after = await deps.records.sites.get(siteId);
    if (after?.life !== "live") await deps.schedules.remove(siteId);
    return after?.life !== "live" || after.version === site.version ? true : undefined;
  });
}

async function removeStray(name: string, { records, schedules }: DriftDeps): Promise<void> {
  const own = scheduleOf(name);
  const site = own && (await records.sites.get(own.siteId));
  if (own === undefined || site === undefined) return;
  if (wantedSchedules(site).some(({ type }) => type === own.type)) return;
  await schedules.removeOne(own.siteId, own.type);
}

function queueRepair(drift: QueueDrift, { records, queues }: DriftDeps): Found {
  if (!("nodeId" in drift)) {
    return drift.kind === "queue_unknown" ? drift : { ...drift, repair: () => queues.remove(drift.url) };
  }
  const repair = async (): Promise<void> => {
    if ((await records.nodes.get(drift.nodeId))?.life === "live") await queues.create(drift.nodeId);
  };
  return { ...drift, repair };
}

async function compareSchedules(
  site: SiteRecord,
  broken: ReadonlySet<string>,
  report: DriftReport,
  deps: DriftDeps,
): Promise<void> {
  const arn = queueArn(deps.config, site.node_id);
  for (const { type, schedule } of wantedSchedules(site)) {
    const name = scheduleName(site.id, type);
    if (broken.has(name) || (await deps.schedules.isAsWanted(site.id, type, schedule, arn))) continue;
    const repair = (): Promise<void> => putAsRecorded(site.id, deps);
    await settle({ kind: "schedule_wrong", name, why: "it is not as the site says", repair }, report, deps);
  }
}

async function compareQueue(node: NodeRecord, report: DriftReport, deps: DriftDeps): Promise<void> {
  if (node.life !== "live" || (await deps.queues.isAsWanted(node.queue_url))) return;
  const repair = (): Promise<void> => deps.queues.setRight(node.queue_url);
  const found = {
    kind: "queue_wrong",
    name: queueName(deps.config, node.id),
    why: "its attributes are others",
  } as const;
  await settle({ ...found, repair }, report, deps);
}

async function inTurns<T>(
  items: readonly T[],
  { hasTime }: DriftOptions,
  report: DriftReport,
  work: (item: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    if (!hasTime()) {
      report.finished = false;
      return;
    }
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
