import { expect, it } from "vitest";
import { formatBytes, formatSeconds } from "#shared/units.ts";

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [10 * 1024 ** 2, "10 MiB"],
  [5.25 * 1024 ** 3, "5.3 GiB"],
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
