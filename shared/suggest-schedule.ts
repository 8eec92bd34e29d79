// The schedule that a site gets when nobody has a wish: every night, at a minute of its own, so that a fleet of any size
// keeps its nodes, its Master and its storage evenly busy instead of starting at three sharp.
import type { Schedule } from "./contracts/sites.ts";

const MINUTES_PER_DAY = 24 * 60;
/** 21:00 to 06:00: with nine hours, the busiest hour of a fleet in one time zone is 24/9 = 2.7 × its average hour. */
const NIGHT_BEGINS_MINUTE = 21 * 60;
const NIGHT_MINUTES = 9 * 60;

/** Always the same for the same `seed`, for instance the site's node and path; `timeZone` is an IANA name. */
export function suggestSchedule(seed: string, timeZone: string): Schedule {
  const minute = (NIGHT_BEGINS_MINUTE + (hash(seed) % NIGHT_MINUTES)) % MINUTES_PER_DAY;
  return {
    expression: `cron(${minute % 60} ${Math.floor(minute / 60)} * * ? *)`,
    time_zone: timeZone,
    flexible_minutes: 15,
    enabled: true,
  };
}

/** FNV-1a, 32 bit (draft-eastlake-fnv), over UTF-16 units; then mixed, because its low bits alone are uneven. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x0100_0193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9_f3b);
  return (value ^ (value >>> 16)) >>> 0;
}
