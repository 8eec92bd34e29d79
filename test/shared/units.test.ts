import { expect, it } from "vitest";
import { formatBytes, formatSeconds } from "#shared/units.ts";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1536, "1.5 kB"],
  [999_500, "1.0 MB"],
  [10_000_000, "10 MB"],
  [5.26e9, "5.3 GB"],
])("%d bytes are %s", (bytes, words) => {
  expect(formatBytes(bytes)).toBe(words);
});

it.each([
  [0.04, "0.0 s"],
  [9.94, "9.9 s"],
  [59.4, "59 s"],
  [75, "1 min 15 s"],
  [3_660, "1 h 1 min"],
])("%d seconds are %s", (seconds, words) => {
  expect(formatSeconds(seconds)).toBe(words);
});
