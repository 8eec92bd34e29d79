// What a month has to show, as checks that say what was measured. Pure.
import { addTallies, type Tally } from "./tally.ts";
import type { AlertEvent, SeenFault, WorldResult } from "./world.ts";

export interface Check {
  readonly name: string;
  readonly bar: string;
  readonly measured: string;
  readonly ok: boolean;
}

const MAX_PEAK = 3;
const QUARTERS_PER_DAY = 96;

export function checkMonth(
  worlds: readonly WorldResult[],
  { days, watchMs, endMs }: { readonly days: number; readonly watchMs: number; readonly endMs: number },
): Check[] {
  const tally = addTallies(worlds.map((world) => world.tally));
  const found = worlds.flatMap((world) => world.faults.map((fault) => findAlert(fault, world.alerts)));
  // A fault that became one in the last minutes of the month has no time left to be found.
  const due = found.filter(({ fault }) => fault.factMs !== undefined && fault.factMs + 2 * watchMs <= endMs);
  const late = due.filter(({ delayMs }) => delayMs === undefined || delayMs > 2 * watchMs);
  const over = due.filter(({ fault }) => fault.overMs + 2 * watchMs <= endMs);
  const open = over.filter(({ closedDelayMs }) => closedDelayMs === undefined || closedDelayMs > 2 * watchMs);
  const worst = Math.max(0, ...due.map(({ delayMs }) => delayMs ?? 0));
  const falseAlarms = worlds.flatMap((world) => falseAlarmsOf(world, watchMs));
  const ends = Object.values(tally.ends).reduce((sum, count) => sum + count, 0);
  const peak = peakOverMean(tally, days);
  return [
    {
      name: "no backup is lost",
      bar: "each due backup has one end",
      measured: `${tally.due} due, ${ends} ended${examples(tally.withoutEnd)}`,
      ok: ends === tally.due && tally.withoutEnd.length === 0,
    },
    {
      name: "every end is explained",
      bar: "only planted faults fail or expire",
      measured: `${tally.ends.succeeded} succeeded, ${tally.ends.failed} failed, ${tally.ends.expired} expired${examples(tally.unexplained)}`,
      ok: tally.unexplained.length === 0,
    },
    {
      name: "no double backups",
      bar: "one record and one object for each success",
      measured: `${tally.backups} records, ${tally.orphans} objects without one${examples(tally.wrongBackups)}`,
      ok: tally.wrongBackups.length === 0 && tally.orphans === 0 && tally.backups === tally.ends.succeeded,
    },
    {
      name: "schedules are spread",
      bar: `busiest quarter of an hour ≤ ${MAX_PEAK} × the mean`,
      measured: `${peak.toFixed(2)} ×`,
      ok: peak <= MAX_PEAK,
    },
    {
      name: "planted faults are found",
      bar: "within 2 periods of the watch",
      measured: `${due.length - late.length} of ${due.length}, the slowest after ${minutes(worst)} min${examples(late.map(({ fault }) => `${fault.kind} ${fault.target}`))}`,
      ok: late.length === 0 && due.length > 0,
    },
    {
      name: "alerts close by themselves",
      bar: "within 2 periods of the repair",
      measured: `${over.length - open.length} of ${over.length}${examples(open.map(({ fault }) => `${fault.kind} ${fault.target}`))}`,
      ok: open.length === 0 && over.length > 0,
    },
    {
      name: "no false alarms",
      bar: "0",
      measured: `${falseAlarms.length}${examples(falseAlarms.map((alert) => `${alert.kind} ${alert.target}`))}`,
      ok: falseAlarms.length === 0,
    },
  ];
}

function findAlert(
  fault: SeenFault,
  alerts: readonly AlertEvent[],
): { fault: SeenFault; delayMs: number | undefined; closedDelayMs: number | undefined } {
  const own = alerts.filter(({ kind, target }) => kind === fault.kind && target === fault.target);
  const opened = own.find(({ what, atMs }) => what === "opened" && atMs >= (fault.factMs ?? 0));
  const closed = own.find(({ what, atMs }) => what === "closed" && atMs >= fault.overMs);
  return {
    fault,
    delayMs: opened === undefined || fault.factMs === undefined ? undefined : opened.atMs - fault.factMs,
    closedDelayMs: closed === undefined ? undefined : closed.atMs - fault.overMs,
  };
}

/** Opened without a planted fault that was a fact then; nor by a site that catches up after its node was away. */
function falseAlarmsOf({ alerts, faults, catchingUp }: WorldResult, watchMs: number): AlertEvent[] {
  const facts = new Map(faults.map((fault) => [`${fault.kind} ${fault.target}`, fault]));
  const away = new Map(catchingUp.map((site) => [site.target, site]));
  return alerts.filter(({ what, kind, target, atMs }) => {
    if (what !== "opened") return false;
    const fault = facts.get(`${kind} ${target}`);
    if (fault?.factMs !== undefined && atMs >= fault.factMs && atMs <= fault.overMs + watchMs) return false;
    const site = away.get(target);
    return site === undefined || atMs < site.fromMs || atMs > site.untilMs + watchMs;
  });
}

function peakOverMean({ arrivals }: Tally, days: number): number {
  const total = arrivals.reduce((sum, count) => sum + count, 0);
  return Math.max(...arrivals) / (total / (days * QUARTERS_PER_DAY));
}

const minutes = (ms: number): string => (ms / 60_000).toFixed(1);
const examples = (list: readonly string[]): string =>
  list.length === 0 ? "" : `; for instance ${list.slice(0, 3).join(", ")}`;
