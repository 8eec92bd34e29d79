import { expect, it } from "vitest";
import { racyFlag } from "#runner/plan/copy/racy.ts";
import { FLAG_RACY } from "#shared/format/index-entry.ts";

const READ = 1_000_000n;
const flag = (mtimeNs: bigint, ctimeNs: bigint, type: "f" | "d" = "f"): number =>
  racyFlag({ type, mtimeNs, ctimeNs }, READ, 100n);

it.each([
  ["changed long before it was read", 0n, 0n, 0],
  ["changed exactly one window before", READ - 100n, READ - 100n, 0],
  ["changed within the window", READ - 99n, READ - 99n, FLAG_RACY],
  ["written within the window, with a ctime that does not say so", READ - 99n, 0n, FLAG_RACY],
  ["written long ago, inode changed within the window", 0n, READ - 99n, FLAG_RACY],
  ["dated far into the future by touch", READ + 5000n, 0n, 0],
  ["with a ctime in the future: a clock was set back", 0n, READ + 5000n, FLAG_RACY],
])("a file %s", (_what, mtimeNs, ctimeNs, expected) => {
  expect(flag(mtimeNs, ctimeNs)).toBe(expected);
});

it("concerns only files: a directory's or link's record holds all there is to it", () => {
  expect(flag(READ, READ, "d")).toBe(0);
});
