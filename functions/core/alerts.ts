// From problems to alerts: each opens once, is repeated sparingly, and closes by itself when its problem is gone. One run
// of the watch makes one message at most, whatever happens to the fleet.
import type { ProblemKind } from "#shared/contracts/alerts.ts";
import type { Problem } from "./watch.ts";

export interface AlertRecord {
  key: string;
  /** Of the site or node. */
  tenant?: string;
  kind: ProblemKind;
  target: { kind: "site" | "node"; id: string };
  text: string;
  state: "open" | "closed";
  opened_at: string;
  /** When it was last told to people, and how often it has been. */
  told_at: string;
  told: number;
  closed_at?: string;
}

export interface AlertRun {
  readonly opened: readonly AlertRecord[];
  readonly repeated: readonly AlertRecord[];
  /** Closed for so long that the problem is taken for gone: told, and off the record. */
  readonly over: readonly AlertRecord[];
  /** All other records that are not as they were. */
  readonly changed: readonly AlertRecord[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** After the first message: a day, then three, then once a week. */
const REPEAT_MS = [DAY_MS, 3 * DAY_MS, 7 * DAY_MS];
/** A problem that comes back within that time has never been away: what flaps is told of once, and is not called over. */
const FLAP_MS = HOUR_MS;

/** `known`: every alert on record, open or closed. */
export function settleAlerts(
  problems: readonly Problem[],
  known: readonly AlertRecord[],
  now: Date,
): AlertRun {
  const at = now.toISOString();
  const alerts = new Map(known.map((alert) => [alert.key, alert]));
  const present = new Set(problems.map(({ key }) => key));
  const run = { opened: [], repeated: [], over: [], changed: [] } as {
    -readonly [K in keyof AlertRun]: AlertRecord[];
  };
  for (const problem of problems) {
    const alert = alerts.get(problem.key);
    if (alert === undefined || isOver(alert, now)) {
      const opened: AlertRecord = { ...problem, state: "open", opened_at: at, told_at: at, told: 1 };
      run.opened.push(opened);
      run.changed.push(opened);
    } else if (isRepeatDue(alert, now)) {
      const repeated = { ...reopened(alert, problem), told_at: at, told: alert.told + 1 };
      run.repeated.push(repeated);
      run.changed.push(repeated);
    } else if (alert.state === "closed" || alert.tenant !== problem.tenant) {
      run.changed.push(reopened(alert, problem));
    }
  }
  for (const alert of known) {
    if (present.has(alert.key)) continue;
    if (alert.state === "open") {
      run.changed.push({ ...alert, state: "closed", closed_at: at });
    } else if (isOver(alert, now)) {
      run.over.push(alert);
    }
  }
  return run;
}

function reopened(alert: AlertRecord, { text, tenant }: Problem): AlertRecord {
  const { closed_at: _closed, tenant: _tenant, ...rest } = alert;
  return { ...rest, ...(tenant === undefined ? {} : { tenant }), text, state: "open" };
}

function isRepeatDue(alert: AlertRecord, now: Date): boolean {
  const waitMs = REPEAT_MS[Math.min(alert.told, REPEAT_MS.length) - 1] ?? DAY_MS;
  return now.getTime() - Date.parse(alert.told_at) >= waitMs;
}

function isOver({ state, closed_at: closedAt }: AlertRecord, now: Date): boolean {
  return state === "closed" && closedAt !== undefined && now.getTime() - Date.parse(closedAt) > FLAP_MS;
}

export interface AlertMessage {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What a test of the targets says. */
export const TEST_MESSAGE: AlertMessage = {
  title: "Backupd: this is a test",
  lines: ["Somebody has pressed the button. Real alerts come here, too."],
};

const MAX_LINES = 20;

/** What people are told of a run; undefined when there is nothing to tell. */
export function messageOf({ opened, repeated, over }: AlertRun): AlertMessage | undefined {
  const parts = [
    { word: "new", alerts: opened },
    { word: "still open", alerts: repeated },
    { word: "over", alerts: over },
  ].filter(({ alerts }) => alerts.length > 0);
  if (parts.length === 0) return undefined;
  const lines = parts.flatMap(({ word, alerts }) => alerts.map(({ text }) => `${word}: ${text}`));
  const more = lines.length - MAX_LINES;
  return {
    title: `Backupd: ${parts.map(({ word, alerts }) => `${alerts.length} ${word}`).join(", ")}`,
    lines: more > 0 ? [...lines.slice(0, MAX_LINES), `and ${more} more`] : lines,
  };
}
