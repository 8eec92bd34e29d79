// What a rate(), cron() or at() expression of EventBridge Scheduler means, so that the Master can refuse and
// preview schedules, and the local stack can run them, by the very same rules.
//
// Croner matches the wall clock as if it were UTC; this file alone turns wall times into instants, because
// AWS differs from every cron library when clocks change: a time that does not exist is skipped and a time
// that occurs twice runs once (EventBridge Scheduler User Guide, "Schedule types").
import { Cron } from "croner";
import { BackupError } from "./errors.ts";

export type ScheduleExpression =
  | { readonly kind: "rate"; readonly everyMs: number }
  /** Seven fields, seconds first, every range and step written out. */
  | { readonly kind: "cron"; readonly pattern: string }
  /** The local date and time as if it were UTC, in ms. */
  | { readonly kind: "at"; readonly wallMs: number };

export interface ScheduleTiming {
  readonly expression: ScheduleExpression;
  /** IANA name, for instance Europe/Berlin. */
  readonly timeZone: string;
  /** Where a rate counts from when it has no start: the time the schedule was made. */
  readonly anchor: Date;
  /** Not before and not after, both inclusive; a one-time schedule ignores them, as on AWS. */
  readonly start?: Date | undefined;
  readonly end?: Date | undefined;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MINUTES: Field = { name: "minutes", min: 0, max: 59 };
const HOURS: Field = { name: "hours", min: 0, max: 23 };
const DAY_OF_MONTH: Field = { name: "day-of-month", min: 1, max: 31 };
const MONTH: Field = { name: "month", min: 1, max: 12, names: MONTHS };
const DAY_OF_WEEK: Field = { name: "day-of-week", min: 1, max: 7, names: WEEKDAYS };
const YEAR: Field = { name: "year", min: 1970, max: 2199 };

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const FORMS = "Use rate(12 hours), cron(30 2 * * ? *) or at(2031-05-04T02:30:00).";

/** Reads an expression; throws `invalid_request` that says which part is wrong. */
export function parseExpression(text: string): ScheduleExpression {
  const call = /^(rate|cron|at)\((.*)\)$/s.exec(text);
  if (!call) throw invalid(text, "it is none of rate(), cron() and at()");
  const inner = call[2] ?? "";
  if (call[1] === "rate") return parseRate(text, inner);
  if (call[1] === "at") return parseAt(text, inner);
  return parseCron(text, inner);
}

/** The zone's name if this runtime knows it; throws `invalid_request` otherwise. */
export function parseTimeZone(name: string): string {
  try {
    // Intl also takes "+01:00", which AWS does not.
    if (/^[A-Za-z]/.test(name)) return wallFormat(name) && name;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  throw new BackupError("invalid_request", {
    detail: `Unknown time zone ${JSON.stringify(name)}.`,
    hint: "Use an IANA name such as Europe/Berlin, America/New_York or UTC.",
  });
}

/** The next `count` times (fewer if the schedule ends) strictly after `after`, for previews. */
export function nextRuns(timing: ScheduleTiming, after: Date, count: number): Date[] {
  return runsAfter(timing, after).take(count).toArray();
}

/** All times strictly after `after`, in order, found as they are asked for. */
export function* runsAfter(timing: ScheduleTiming, after: Date): Generator<Date, undefined> {
  const { expression, start, end } = timing;
  const afterMs = after.getTime();
  if (expression.kind === "at") {
    const at = instantOf(expression.wallMs, timing.timeZone);
    if (at !== undefined && at > afterMs) yield new Date(at);
    return;
  }
  const floorMs = Math.max(afterMs, (start?.getTime() ?? Number.NEGATIVE_INFINITY) - 1);
  const times =
    expression.kind === "rate"
      ? rateTimes(expression.everyMs, (start ?? timing.anchor).getTime(), floorMs)
      : cronTimes(expression.pattern, timing.timeZone, floorMs);
  for (const time of times) {
    if (end !== undefined && time > end.getTime()) return;
    yield new Date(time);
  }
}

function* rateTimes(everyMs: number, anchorMs: number, floorMs: number): Generator<number, undefined> {
  const beats = Math.max(0, Math.floor((floorMs - anchorMs) / everyMs) + 1);
  for (let time = anchorMs + beats * everyMs; ; time += everyMs) yield time;
}

function* cronTimes(pattern: string, timeZone: string, floorMs: number): Generator<number, undefined> {
  const cron = openCron(pattern);
  let wall = cron.nextRun(new Date(wallOf(floorMs, timeZone) - 1000));
  for (; wall !== null; wall = cron.nextRun(wall)) {
    const time = instantOf(wall.getTime(), timeZone);
    // Skipped: gaps, and in the second pass of a repeated hour the times that the first pass had.
    if (time !== undefined && time > floorMs) yield time;
  }
}

function openCron(pattern: string): Cron {
  return new Cron(pattern, { mode: "7-part", domAndDow: true, alternativeWeekdays: true, timezone: "UTC" });
}

function parseRate(text: string, inner: string): ScheduleExpression {
  const [, digits = "", unit = "", plural = ""] = /^([0-9]{1,6}) (minute|hour|day)(s?)$/.exec(inner) ?? [];
  const value = Number(digits);
  if (value < 1) throw invalid(text, "a rate is a positive number and minute(s), hour(s) or day(s)");
  if ((value === 1) !== (plural === "")) {
    throw invalid(text, `AWS wants ${value === 1 ? `"1 ${unit}"` : `"${value} ${unit}s"`}`);
  }
  return { kind: "rate", everyMs: value * (UNIT_MS[unit] ?? Number.NaN) };
}

function parseAt(text: string, inner: string): ScheduleExpression {
  const wallMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(inner) ? Date.parse(`${inner}Z`) : Number.NaN;
  // Date.parse rolls 30 February over into March.
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString().slice(0, 19) !== inner) {
    throw invalid(text, "at() takes a real date and time without a zone, yyyy-mm-ddThh:mm:ss");
  }
  return { kind: "at", wallMs };
}

function parseCron(text: string, inner: string): ScheduleExpression {
  const fields = inner.trim().split(/\s+/);
  const [minutes = "", hours = "", dayOfMonth = "", month = "", dayOfWeek = "", year = ""] = fields;
  if (fields.length !== 6) {
    throw invalid(text, `cron() has six fields (minutes hours day month weekday year), not ${fields.length}`);
  }
  if ((dayOfMonth === "?") === (dayOfWeek === "?")) {
    throw invalid(text, "exactly one of day-of-month and day-of-week has to be ?");
  }
  const values = (field: Field, part: string): string => expandField(text, field, part);
  const pattern = [
    "0",
    values(MINUTES, minutes),
    values(HOURS, hours),
    /^([1-9]|[12]\d|3[01])W$|^L$/.test(dayOfMonth) ? dayOfMonth : values(DAY_OF_MONTH, dayOfMonth),
    values(MONTH, month),
    weekdayPattern(text, dayOfWeek),
    values(YEAR, year),
  ].join(" ");
  openCron(pattern);
  return { kind: "cron", pattern };
}

/** Day-of-week also knows L (the week's last day), 6L (the month's last Friday) and 3#2 (its second Tuesday). */
function weekdayPattern(text: string, part: string): string {
  if (part === "L") return "7";
  const special = /^(\w+?)(L|#[1-5])$/.exec(part);
  if (special) return `${readNumber(text, DAY_OF_WEEK, special[1] ?? "")}${special[2]}`;
  return expandField(text, DAY_OF_WEEK, part);
}

/** A list of values, ranges and steps as the plain list of values that it stands for. */
function expandField(text: string, field: Field, part: string): string {
  if (part === "*" || (part === "?" && (field === DAY_OF_MONTH || field === DAY_OF_WEEK))) return "*";
  const values = new Set<number>();
  for (const item of part.split(",")) {
    const [range = "", step, extra] = item.split("/");
    if (extra !== undefined || (step !== undefined && !/^0*[1-9]\d{0,3}$/.test(step))) {
      throw invalid(text, `${field.name}: ${JSON.stringify(item)} has no valid step after the slash`);
    }
    const [low, high] = readRange(text, field, range, step !== undefined);
    for (let value = low; value <= high; value += Number(step ?? 1)) values.add(value);
  }
  return [...values].sort((a, b) => a - b).join(",");
}

function readRange(text: string, field: Field, range: string, openEnded: boolean): [number, number] {
  if (range === "*") return [field.min, field.max];
  const [from = "", to, extra] = range.split("-");
  if (extra !== undefined) throw invalid(text, `${field.name}: ${JSON.stringify(range)} is not a range`);
  const low = readNumber(text, field, from);
  if (to === undefined) return [low, openEnded ? field.max : low];
  const high = readNumber(text, field, to);
  if (high < low) throw invalid(text, `${field.name}: the range ${JSON.stringify(range)} runs backwards`);
  return [low, high];
}

function readNumber(text: string, field: Field, word: string): number {
  const named = field.names?.indexOf(word.toUpperCase()) ?? -1;
  const value = named >= 0 ? named + field.min : /^\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
  if (value >= field.min && value <= field.max) return value;
  const names = field.names ? ` or ${field.names[0]}-${field.names.at(-1)}` : "";
  throw invalid(text, `${field.name}: ${JSON.stringify(word)} is not ${field.min}-${field.max}${names}`);
}

const wallFormats = new Map<string, Intl.DateTimeFormat>();

/** Kept, because making one takes a hundred times as long as using it. */
function wallFormat(timeZone: string): Intl.DateTimeFormat {
  let format = wallFormats.get(timeZone);
  if (format === undefined) {
    const two = "2-digit";
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    wallFormats.set(timeZone, format);
  }
  return format;
}

/** What the clocks in `timeZone` show at that instant, as if it were UTC, in whole seconds. */
function wallOf(instantMs: number, timeZone: string): number {
  if (timeZone === "UTC") return Math.floor(instantMs / 1000) * 1000;
  const part: Record<string, number> = {};
  for (const { type, value } of wallFormat(timeZone).formatToParts(instantMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The first instant at which the clocks in `timeZone` show that; undefined if they jump over it. */
function instantOf(wallMs: number, timeZone: string): number | undefined {
  const dayMs = 86_400_000;
  const offsets = [wallMs - dayMs, wallMs + dayMs].map((near) => wallOf(near, timeZone) - near);
  return offsets
    .sort((a, b) => b - a)
    .map((offset) => wallMs - offset)
    .find((candidate) => wallOf(candidate, timeZone) === wallMs);
}

function invalid(text: string, reason: string): BackupError {
  return new BackupError("invalid_request", {
    detail: `Invalid schedule expression ${JSON.stringify(text)}: ${reason}.`,
    hint: FORMS,
  });
}
