import { expect, test } from "vitest";
import { reasonInWords } from "../../../dashboard/lib/retention-words.ts";

test.each([
  ["last", "one of the newest"],
  ["daily 2026-11-20", "the last of 2026-11-20"],
  ["weekly 2026-W07", "the last of week 7 of 2026"],
  ["monthly 2026-11", "the last of November 2026"],
  ["yearly 2026", "the last of 2026"],
  ["min_keep", "never fewer than that"],
  ["no rule keeps it: keep_last 3", "no rule keeps it"],
  ["the newest good backup", "the newest good backup"],
  ["on hold: last known good", "on hold: last known good"],
  ["last known good", "last known good"],
])("%s is said as: %s", (reason, words) => {
  expect(reasonInWords(reason)).toBe(words);
});
