// What happens in the simulated month, settled before it begins: the fleet, when each site is due, and which failures are
// planted where, since only what was planted may be found.
import type { NodeRecord, SiteRecord } from "#functions/core/records.ts";
import { nextRuns, parseExpression } from "#shared/schedule-expression.ts";
import { suggestSchedule } from "#shared/suggest-schedule.ts";
import { openRandom, type Random } from "./random.ts";

export interface SimOptions {
  readonly sites: number;
  readonly nodes: number;
  readonly days: number;
  readonly seed: number;
  /** This worker's share of the nodes: those whose number leaves `share.index` when divided by `share.of`. */
  readonly share: { readonly index: number; readonly of: number };
}

/** Faults that the system has to get over by itself; nobody may be alarmed. Per job, unless it says otherwise. */
export const NOISE = {
  /** EventBridge Scheduler and SQS deliver at least once. */
  secondDelivery: 0.01,
  /** kill -9, an update, a reboot: the node is away for some minutes. */
  crash: 0.002,
  crashSeconds: 240,
  /** The process stands still past its lease and goes on as if nothing had been. */
  pause: 0.0005,
  pauseSeconds: 900,
  /** The Master's answer to the report is lost: the report comes again. */
  reportAnswerLost: 0.002,
  /** No call reaches the Master, once in the month; longer than 15 minutes is silence. */
  masterDownSeconds: 600,
} as const;

/** Faults that people have to be told of, per thousand sites or nodes. */
const PLANTED_PER_THOUSAND = { brokenSites: 1, lostSchedules: 1, silentNodes: 4, strayInstallations: 2 };

/** What an alert should say. */
export type PlantedKind = "site_failing" | "site_overdue" | "node_silent" | "site_discovered";

export interface Planted {
  readonly kind: PlantedKind;
  /** The site's or the node's id. */
  readonly target: string;
  /** The fault begins, and is put right. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface SimSite {
  readonly id: string;
  readonly nodeNumber: number;
  /** All due times of the month, ascending. */
  readonly dueMs: readonly number[];
  readonly flexibleMs: number;
  readonly sizeBytes: number;
  readonly jobSeconds: number;
}

export interface Plan {
  readonly startMs: number;
  readonly endMs: number;
  readonly nodes: readonly { readonly number: number; readonly record: NodeRecord }[];
  readonly sites: readonly SimSite[];
  readonly siteRecords: readonly SiteRecord[];
  readonly planted: readonly Planted[];
  readonly masterDown: { readonly fromMs: number; readonly untilMs: number };
  readonly random: Random;
}

/** Both changes of the clocks of this autumn are within thirty days of it. */
const START = Date.parse("2026-10-10T00:00:00Z");
const DAY_MS = 86_400_000;
const ZONES = [
  "Europe/Berlin",
  "Europe/Berlin",
  "Europe/London",
  "America/New_York",
  "America/Los_Angeles",
  "Asia/Tokyo",
];

export function makePlan(options: SimOptions): Plan {
  const random = openRandom(options.seed * 1000 + options.share.index);
  const endMs = START + options.days * DAY_MS;
  const dueTimes = openDueTimes(endMs);
  const nodes: { number: number; record: NodeRecord }[] = [];
  for (let number = options.share.index; number < options.nodes; number += options.share.of) {
    nodes.push({ number, record: aNode(random.uuid(), number) });
  }
  const sites: SimSite[] = [];
  const siteRecords: SiteRecord[] = [];
  for (const [at, { record: node }] of nodes.entries()) {
    const zone = ZONES[at % ZONES.length] ?? "UTC";
    const first = Math.round((nodes[at]?.number ?? 0) * (options.sites / options.nodes));
    const last = Math.round(((nodes[at]?.number ?? 0) + 1) * (options.sites / options.nodes));
    for (let number = first; number < last; number += 1) {
      const record = aSite(random.uuid(), number, node.id, zone);
      siteRecords.push(record);
      sites.push({
        id: record.id,
        nodeNumber: at,
        dueMs: dueTimes(record),
        flexibleMs: (record.schedule?.flexible_minutes ?? 0) * 60_000,
        sizeBytes: Math.round(random.logNormal(800e6, 2.5)),
        jobSeconds: Math.min(1800, Math.max(5, random.logNormal(40, 2))),
      });
    }
  }
  const planned = { startMs: START, endMs, nodes, sites, siteRecords, random };
  const downFrom = START + (0.3 + 0.4 * openRandom(options.seed).next()) * (endMs - START);
  return {
    ...planned,
    planted: plantFaults(planned, options.days),
    masterDown: { fromMs: downFrom, untilMs: downFrom + NOISE.masterDownSeconds * 1000 },
  };
}

/** Sites have few different schedules, so that each is worked out once. */
function openDueTimes(endMs: number): (site: SiteRecord) => readonly number[] {
  const known = new Map<string, readonly number[]>();
  return ({ schedule }) => {
    if (schedule === undefined) return [];
    const key = `${schedule.expression} ${schedule.time_zone}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const timing = {
      expression: parseExpression(schedule.expression),
      timeZone: schedule.time_zone,
      anchor: new Date(START),
      end: new Date(endMs - 1),
    };
    const days = Math.ceil((endMs - START) / DAY_MS);
    const times = nextRuns(timing, new Date(START), days + 1).map((run) => run.getTime());
    known.set(key, times);
    return times;
  };
}

function plantFaults(plan: Pick<Plan, "nodes" | "sites" | "endMs" | "random">, days: number): Planted[] {
  const { random, nodes, sites } = plan;
  const taken = new Set<string>();
  const silenced = new Set<number>();
  /** Days 5 to 10 of a month; put right within two days and a half, long enough for each rule to notice. */
  const when = (): Pick<Planted, "fromMs" | "untilMs"> => {
    const fromMs = START + (0.2 + 0.5 * random.next()) * days * DAY_MS;
    return { fromMs, untilMs: fromMs + (1.5 + random.next()) * DAY_MS };
  };
  const pickNode = (): { at: number; id: string } | undefined => {
    const at = random.below(nodes.length);
    const id = nodes[at]?.record.id;
    if (id === undefined || taken.has(id)) return undefined;
    taken.add(id);
    return { at, id };
  };
  const planted: Planted[] = [];
  const silent = shareOf(nodes.length, PLANTED_PER_THOUSAND.silentNodes);
  const stray = shareOf(nodes.length, PLANTED_PER_THOUSAND.strayInstallations);
  for (let i = 0; i < silent + stray; i += 1) {
    const node = pickNode();
    if (node === undefined) continue;
    if (i < silent) silenced.add(node.at);
    planted.push({ kind: i < silent ? "node_silent" : "site_discovered", target: node.id, ...when() });
  }
  const broken = shareOf(sites.length, PLANTED_PER_THOUSAND.brokenSites);
  const lost = shareOf(sites.length, PLANTED_PER_THOUSAND.lostSchedules);
  for (let i = 0; i < broken + lost; i += 1) {
    const site = sites[random.below(sites.length)];
    // A silent node explains its sites: they would not be told of.
    if (site === undefined || taken.has(site.id) || silenced.has(site.nodeNumber)) continue;
    taken.add(site.id);
    planted.push({ kind: i < broken ? "site_failing" : "site_overdue", target: site.id, ...when() });
  }
  return planted;
}

function shareOf(count: number, perThousand: number): number {
  return Math.max(1, Math.round((count * perThousand) / 1000));
}

function aNode(id: string, number: number): NodeRecord {
  return {
    id,
    life: "live",
    name: `node-${number}.example.com`,
    state: "active",
    created_at: new Date(START - 30 * DAY_MS).toISOString(),
    signing_key: "",
    age_recipient: "",
    queue_url: "",
    site_count: 0,
    last_seen_at: new Date(START).toISOString(),
  };
}

function aSite(id: string, number: number, nodeId: string, zone: string): SiteRecord {
  const path = `/var/www/site-${number}`;
  return {
    id,
    version: 1,
    life: "live",
    node_id: nodeId,
    name: `site-${number}.example.com`,
    path,
    state: "active",
    created_at: new Date(START).toISOString(),
    schedule: suggestSchedule(`${nodeId} ${path}`, zone),
    // As after a first backup by hand, which is how a site is added.
    last_backup_at: new Date(START).toISOString(),
    exclude: [],
  };
}
