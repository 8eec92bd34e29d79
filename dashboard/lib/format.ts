// Numbers as people read them, always with a unit.

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Decimal units, three digits at most: 999 B, 1.2 MB, 35 GB. */
export function bytes(value: number): string {
  let [unit, rest] = [0, value];
  while (rest >= 999.5 && unit < UNITS.length - 1) [unit, rest] = [unit + 1, rest / 1000];
  const digits = unit === 0 || rest >= 99.5 ? 0 : 1;
  return `${rest.toFixed(digits)} ${UNITS[unit]}`;
}

/** 0.4 s, 42 s, 3 min 5 s, 2 h 10 min, 3 d 4 h. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return joined([days, "d"], [hours, "h"]);
  return hours > 0 ? joined([hours, "h"], [minutes, "min"]) : joined([minutes, "min"], [whole % 60, "s"]);
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en")} ${value === 1 ? one : many}`;
}

export function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, (100 * part) / whole);
}

const STEPS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });

/** "5min ago", "in 3h"; only "now" within a minute, because nothing here is exact to the second. */
export function ago(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

function joined([first, firstUnit]: [number, string], [second, secondUnit]: [number, string]): string {
  return second === 0 ? `${first} ${firstUnit}` : `${first} ${firstUnit} ${second} ${secondUnit}`;
}
