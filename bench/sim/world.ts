// One share of the fleet through the month: schedules call, runners work, faults strike, the watch looks every quarter of an
// hour. Gives what was counted, and every alert that was opened or called over.
import type { AlertRecord } from "#functions/core/alerts.ts";
import { runWatch } from "#functions/watch-chore.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { openJudge } from "./judge.ts";
import { openMemoryRecords } from "./memory-records.ts";
import { makePlan, NOISE, type Plan, type Planted, type SimOptions, type SimSite } from "./plan.ts";
import { openRunner, type SimRunner } from "./runner.ts";
import { emptyTally, type Tally } from "./tally.ts";
import { openTimeline, type Timeline } from "./timeline.ts";

export const WATCH_MS: number = 15 * 60_000;
const HEARTBEAT_SECONDS = 60;
/** After the month: time for whatever is still at work. */
const CALM_MS = 2 * 86_400_000;
const QUARTER_MS = 15 * 60_000;

export interface AlertEvent {
  readonly kind: AlertRecord["kind"];
  readonly target: string;
  readonly atMs: number;
  readonly what: "opened" | "closed";
}

/** A planted fault with what the Master could know of it, and when. */
export interface SeenFault extends Planted {
  /** When the rule's condition was first met; undefined if it never was. */
  readonly factMs: number | undefined;
  /** When it was over. */
  readonly overMs: number;
}

export interface WorldResult {
  readonly tally: Tally;
  readonly endMs: number;
  readonly alerts: readonly AlertEvent[];
  readonly faults: readonly SeenFault[];
  /** Sites of nodes that were away for long: what is said of them while they catch up is true, if not planted. */
  readonly catchingUp: readonly {
    readonly target: string;
    readonly fromMs: number;
    readonly untilMs: number;
  }[];
}

export type OnDay = (day: number) => void;

export async function runWorld(options: SimOptions, onDay: OnDay = () => undefined): Promise<WorldResult> {
  const plan = makePlan(options);
  const tally = { ...emptyTally(), arrivals: Array<number>(options.days * 96).fill(0) };
  const timeline = openTimeline(plan.startMs);
  const judge = openJudge(plan, tally);
  const records = openMemoryRecords({
    onBackup: judge.onBackup,
    onEnd: (job) => judge.onEnd(job, timeline.nowMs()),
  });
  for (const { record } of plan.nodes) records.now.put({ node: record });
  for (const site of plan.siteRecords) records.now.put({ site });

  const siteById = new Map(plan.sites.map((site) => [site.id, site]));
  const siteOf = (id: string): SimSite => {
    const site = siteById.get(id);
    if (site === undefined) throw new Error(`There is no site ${id}`);
    return site;
  };
  const isMasterDown = (atMs: number): boolean =>
    atMs >= plan.masterDown.fromMs && atMs < plan.masterDown.untilMs;
  const runners = plan.nodes.map(({ record }) =>
    openRunner(record.id, {
      records: records.now,
      timeline,
      random: plan.random,
      tally,
      siteOf,
      isMasterDown,
      isBroken: judge.isBroken,
      onObject: judge.onObject,
    }),
  );
  for (const site of plan.sites) scheduleSite(site, 0, { plan, timeline, tally, runners, judge });
  scheduleSilences(plan, timeline, runners);

  const alerts: AlertEvent[] = [];
  const note = (alert: AlertRecord, what: AlertEvent["what"]): void =>
    void alerts.push({ kind: alert.kind, target: alert.target.id, atMs: timeline.nowMs(), what });
  const watchDeps = {
    records: {
      ...records,
      alerts: {
        ...records.alerts,
        async save(alert: AlertRecord) {
          const at = new Date(timeline.nowMs()).toISOString();
          if (alert.opened_at === at) note(alert, "opened");
          if (alert.closed_at === at) note(alert, "closed");
          await records.alerts.save(alert);
        },
      },
    },
    notifier: { tell: async () => [{ name: "simulated" }], beat: async () => undefined },
    config: { heartbeatSeconds: HEARTBEAT_SECONDS },
    now: () => new Date(timeline.nowMs()),
    log: { info: () => undefined, error: () => undefined },
    meter: { add: () => undefined },
  };
  for (let atMs = plan.startMs + WATCH_MS; atMs <= plan.endMs; atMs += WATCH_MS) {
    timeline.runUntil(atMs);
    beatHearts(plan, runners, records.now, { atMs, isMasterDown });
    tally.calls.watchRuns += 1;
    await runWatch(watchDeps);
    judge.forgetOld(atMs, records.now);
    if (atMs % 86_400_000 === 0) onDay(Math.round((atMs - plan.startMs) / 86_400_000));
  }
  timeline.runUntil(plan.endMs + CALM_MS);
  tally.calls.heartbeatNode = Math.round(
    (plan.nodes.length * (plan.endMs - plan.startMs)) / 1000 / HEARTBEAT_SECONDS,
  );
  // A long poll of 20 s while there is nothing to do.
  const idleSeconds = (plan.nodes.length * (plan.endMs - plan.startMs)) / 1000 - tally.simulatedJobSeconds;
  tally.calls.sqsReceive += Math.round(idleSeconds / 20);
  judge.close(records.now, plan.endMs + CALM_MS);
  return { tally, endMs: plan.endMs, alerts, faults: judge.faults(), catchingUp: judge.catchingUp() };
}

interface Schedules {
  readonly plan: Plan;
  readonly timeline: Timeline;
  readonly tally: Tally;
  readonly runners: readonly SimRunner[];
  readonly judge: ReturnType<typeof openJudge>;
}

/** The site's `index`th due time; each brings the next one. */
function scheduleSite(site: SimSite, index: number, world: Schedules): void {
  const { plan, timeline, tally, runners, judge } = world;
  const dueMs = site.dueMs[index];
  if (dueMs === undefined) return;
  const runner = runners[site.nodeNumber];
  timeline.at(dueMs + plan.random.below(site.flexibleMs + 1), () => {
    scheduleSite(site, index + 1, world);
    if (judge.isScheduleLost(site.id, dueMs)) return;
    const scheduledTime = `${new Date(dueMs).toISOString().slice(0, 19)}Z`;
    const send = (executionId: string): void =>
      runner?.receive({
        v: 1,
        type: "backup",
        trigger: "schedule",
        site_id: site.id,
        scheduled_time: scheduledTime,
        execution_id: executionId,
      });
    tally.due += 1;
    tally.calls.scheduled += 1;
    const quarter = Math.floor((timeline.nowMs() - plan.startMs) / QUARTER_MS);
    tally.arrivals[quarter] = (tally.arrivals[quarter] ?? 0) + 1;
    judge.onDue(jobIdFor(site.id, scheduledTime), site, timeline.nowMs());
    if (plan.random.chance(NOISE.secondDelivery)) {
      tally.secondDeliveries += 1;
      timeline.at(timeline.nowMs() + plan.random.below(300_000), () => send("second"));
    }
    send("first");
  });
}

function scheduleSilences(plan: Plan, timeline: Timeline, runners: readonly SimRunner[]): void {
  for (const { kind, target, fromMs, untilMs } of plan.planted) {
    if (kind !== "node_silent") continue;
    const at = plan.nodes.findIndex(({ record }) => record.id === target);
    const runner = runners[at];
    if (runner === undefined) continue;
    timeline.at(fromMs, () => runner.goAway(untilMs));
  }
}

/** What heartbeats would have written since the last look, and the installations that a node has found. */
function beatHearts(
  plan: Plan,
  runners: readonly SimRunner[],
  records: ReturnType<typeof openMemoryRecords>["now"],
  { atMs, isMasterDown }: { readonly atMs: number; readonly isMasterDown: (atMs: number) => boolean },
): void {
  const stray = new Map(
    plan.planted
      .filter(({ kind, fromMs, untilMs }) => kind === "site_discovered" && fromMs <= atMs && atMs < untilMs)
      .map(({ target, fromMs }) => [target, `/var/www/stray-${fromMs}`]),
  );
  for (const [at, { record }] of plan.nodes.entries()) {
    const runner = runners[at];
    if (runner === undefined) continue;
    // One that has gone was seen until then, not until the last time that this looked.
    const aliveAt = runner.aliveAtMs();
    const seenMs = isMasterDown(aliveAt) ? plan.masterDown.fromMs : aliveAt;
    const path = stray.get(record.id);
    records.put({
      node: {
        ...record,
        last_seen_at: new Date(seenMs).toISOString(),
        ...(path === undefined ? {} : { discovered_sites: [{ path }] }),
      },
    });
  }
}
