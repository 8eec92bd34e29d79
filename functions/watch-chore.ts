// Every quarter of an hour: ends jobs whose runner is gone, looks for what is wrong with the fleet, and tells people what is
// new, what stays and what is over. What could not be told is told by the next run.
import type { EventBridgeEvent } from "aws-lambda";
import { openHealthRule } from "#shared/site-health.ts";
import { type AlertRun, messageOf, settleAlerts } from "./core/alerts.ts";
import { effectiveJob, endStep, hasEnded, type Step } from "./core/job-state.ts";
import type { JobRecord, SiteRecord } from "./core/records.ts";
import { findProblems } from "./core/watch.ts";
import { type Deps, lazyDeps } from "./deps.ts";
import { moveRecords } from "./http/move-records.ts";
import { openNotifier } from "./stores/notifier.ts";
import { openRecords, type Records } from "./stores/records.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

type AllDeps = Deps<"records" | "notifier">;

/** Of all that, what it needs: a simulation brings its own. */
export interface WatchDeps extends Pick<AllDeps, "now"> {
  readonly records: Pick<Records, "commit"> & {
    readonly alerts: Pick<Records["alerts"], "all" | "save" | "remove">;
    readonly sites: Pick<Records["sites"], "all">;
    readonly nodes: Pick<Records["nodes"], "all">;
    readonly jobs: Pick<Records["jobs"], "get">;
  };
  readonly notifier: Pick<AllDeps["notifier"], "tell" | "beat">;
  readonly config: Pick<AllDeps["config"], "heartbeatSeconds">;
  readonly log: Pick<AllDeps["log"], "info" | "error">;
  readonly meter: Pick<AllDeps["meter"], "add">;
  readonly finishMoves?: (sites: readonly SiteRecord[]) => Promise<void>;
}

const AT_ONCE = 16;
const MOVE_SETTLES_MS = 60_000;
/** For as long as this process lives: a quarter of an hour later most schedules have not been due again. */
const processRule = openHealthRule();

export interface WatchResult {
  ended: number;
  opened: number;
  repeated: number;
  over: number;
}

export const handler: Observed<Pick<EventBridgeEvent<string, unknown>, "time">, WatchResult> = chore(
  "watch",
  lazyDeps({ records: openRecords, notifier: openNotifier }),
  async (_event, deps) => runWatch({ ...deps, finishMoves: (sites) => finishMoves(sites, deps) }),
);

export async function runWatch(deps: WatchDeps): Promise<WatchResult> {
  const { records, config } = deps;
  const [sites, nodes, known] = await Promise.all([
    records.sites.all(),
    records.nodes.all(),
    records.alerts.all(),
  ]);
  const ended = await endLostJobs(sites, deps);
  await deps.finishMoves?.(sites);
  const now = deps.now();
  const problems = findProblems(
    { sites, nodes, heartbeatSeconds: config.heartbeatSeconds },
    now,
    processRule,
  );
  const run = settleAlerts(problems, known, now);
  await tell(run, deps);
  await inTurns(run.changed, (alert) => records.alerts.save(alert));
  await inTurns(run.over, (alert) => records.alerts.remove(alert));
  const result = {
    ended,
    opened: run.opened.length,
    repeated: run.repeated.length,
    over: run.over.length,
  };
  deps.meter.add("AlertsOpened", run.opened.length);
  deps.log.info("watch", { ...result, problems: problems.length, sites: sites.length, nodes: nodes.length });
  await beat(deps);
  return result;
}

/** A message that no target took is kept for the next run: nothing of it is on record yet. */
async function tell(run: AlertRun, { notifier, log }: WatchDeps): Promise<void> {
  const message = messageOf(run);
  if (message === undefined) return;
  const deliveries = await notifier.tell(message);
  for (const { name, error } of deliveries) {
    if (error !== undefined) log.error("alert not delivered", { target: name, error });
  }
  if (deliveries.length > 0 && deliveries.every(({ error }) => error !== undefined)) {
    throw new Error("No alert target took the message.");
  }
}

/** That an outside watchdog cannot be reached must not stop the watch: the watchdog then says so itself. */
async function beat({ notifier, log }: WatchDeps): Promise<void> {
  try {
    await notifier.beat();
  } catch (error) {
    log.error("heartbeat not delivered", { error: error as Error });
  }
}

/** How many jobs have ended, or gone back into their queue, because of the time alone. The next run sees their sites. */
async function endLostJobs(sites: readonly SiteRecord[], deps: WatchDeps): Promise<number> {
  let ended = 0;
  const busy = sites.filter((site) => site.active_job_id !== undefined);
  await inTurns(busy, async (site) => {
    const job = await deps.records.jobs.get(site.active_job_id ?? "");
    const step = job && lostStep(job, site, deps);
    // Beaten by a claim or a report: then it is not lost.
    if (step !== undefined && (await deps.records.commit(step))) ended += 1;
  });
  return ended;
}

/** Once more, when everything that was written during the move can be read: a list may have lagged, or a call been cut short. */
async function finishMoves(sites: readonly SiteRecord[], deps: AllDeps): Promise<void> {
  const settled = new Date(deps.now().getTime() - MOVE_SETTLES_MS).toISOString();
  for (const { id, active_job_id: activeId, tenant_changed_at: at = "" } of sites) {
    if (at === "" || at > settled || activeId !== undefined) continue;
    const before = await deps.records.sites.get(id);
    if (before?.tenant_changed_at !== at) continue;
    await moveRecords(before, deps);
    const { tenant_changed_at: _done, ...after } = before;
    // Beaten by another write: the next run does it.
    await deps.records.sites.change({ before, after });
  }
}

function lostStep(job: JobRecord, site: SiteRecord, deps: WatchDeps): Step | undefined {
  const after = effectiveJob(job, deps.now());
  if (after === job) return undefined;
  const change = { before: job, after };
  return hasEnded(after.state) ? endStep(change, site) : { jobs: [change] };
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
  }
}
