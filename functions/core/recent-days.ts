// A site's last thirty days, one letter each, moved on by every job that ends. A look for lists only: nothing is decided
// by it, so a day that a late report turned from failed into backed up simply shows both.
import type { JobState } from "#shared/contracts/jobs.ts";
import { RECENT_DAYS, type RecentDays } from "#shared/contracts/sites.ts";

const DAY_MS = 86_400_000;

/** undefined where nothing is known before and the job says nothing either. */
export function recentDaysAfter(
  before: RecentDays | undefined,
  state: JobState,
  endedAt: string,
): RecentDays | undefined {
  const outcome = outcomeOf(state);
  if (outcome === undefined) return before;
  const day = endedAt.slice(0, 10);
  const days = moveOn(before ?? { until: day, outcomes: "-".repeat(RECENT_DAYS) }, day);
  const at = RECENT_DAYS - 1 - daysBetween(day, days.until);
  if (at < 0) return days;
  const known = days.outcomes[at] ?? "-";
  const merged = known === "-" || known === outcome ? outcome : "m";
  return { ...days, outcomes: days.outcomes.slice(0, at) + merged + days.outcomes.slice(at + 1) };
}

/** The same days as seen from a later one; an earlier one changes nothing. */
function moveOn(days: RecentDays, day: string): RecentDays {
  const passed = daysBetween(days.until, day);
  if (passed <= 0) return days;
  const empty = "-".repeat(Math.min(passed, RECENT_DAYS));
  return { until: day, outcomes: (days.outcomes + empty).slice(-RECENT_DAYS) };
}

/** A job that was stopped by a person says nothing about the site. */
function outcomeOf(state: JobState): "s" | "f" | undefined {
  if (state === "succeeded") return "s";
  return state === "failed" || state === "skipped" || state === "expired" ? "f" : undefined;
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}
