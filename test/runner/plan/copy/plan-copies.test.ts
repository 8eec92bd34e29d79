import { describe, expect, it } from "vitest";
import {
  type CopyPlan,
  createCopyPlanner,
  type PlanOptions,
  S3_COPY_LIMITS,
} from "#runner/plan/copy/plan-copies.ts";
import { createPreviousArchive, type PreviousArchive } from "#runner/plan/copy/previous-archive.ts";
import type { EntryStat } from "#shared/format/index-entry.ts";

const MIB = 1024 ** 2;
const LIMITS = S3_COPY_LIMITS;

function file(name: string, fields: Partial<EntryStat> = {}): EntryStat {
  const stat = { mode: 0o644, uid: 33, gid: 33, mtimeNs: 1n, ctimeNs: 2n, ino: 3n };
  return { type: "f", name, size: 4 * MIB - 512, ...stat, ...fields };
}

/** One frame of `compressedBytes` per entry, 512 bytes of header each. */
function archiveOf(entries: readonly EntryStat[], compressedBytes = 2 * MIB, flags = 0): PreviousArchive {
  const builder = createPreviousArchive();
  const tarBytes = entries.map((entry) => 512 + entry.size);
  const end = tarBytes.reduce((sum, bytes) => sum + bytes, 0);
  const uuid = "00000000-0000-4000-8000-000000000000";
  const ids = { created_at: "2026-01-01T00:00:00Z", tool: "t", node_id: uuid, site_id: uuid };
  builder.sink.header({
    format: "backupd",
    version: 1,
    ...ids,
    tar_bytes: end + 1024,
    entries_end: end,
    frames: entries.length,
    entries: entries.length,
    database: null,
  });
  let tarOffset = 0;
  for (const [index, entry] of entries.entries()) {
    const offset = index * compressedBytes;
    const bytes = tarBytes[index] ?? 0;
    builder.sink.frame({ offset, compressedBytes, tarOffset, tarBytes: bytes, sha256: "00".repeat(32) });
    builder.sink.entry({ ...entry, tarOffset, flags });
    tarOffset += bytes;
  }
  return builder.finish();
}

function plan(
  previous: PreviousArchive | undefined,
  walk: readonly EntryStat[],
  options: Partial<PlanOptions> = {},
): CopyPlan {
  const planner = createCopyPlanner(previous);
  for (const entry of walk) planner.see(entry);
  return planner.plan({ ...LIMITS, ...options });
}

const names = (entries: Iterable<EntryStat>): string[] => [...entries].map((entry) => entry.name);
const numbered = (count: number): EntryStat[] => Array.from({ length: count }, (_, n) => file(`w/${n}`));

it("copies all but the frames of what changed, in few ranges", () => {
  const before = numbered(100);
  const after = [...before.with(50, file("w/50", { ctimeNs: 9n })), file("w/new")].filter(
    (e) => e.name !== "w/7",
  );
  const { mode, copied, fresh, counts } = plan(archiveOf(before), after);
  expect(mode).toBe("incremental");
  expect(copied.parts).toEqual([
    { offset: 0, bytes: 14 * MIB },
    { offset: 16 * MIB, bytes: 84 * MIB },
    { offset: 102 * MIB, bytes: 98 * MIB },
  ]);
  expect(names(fresh.files)).toEqual(["w/50", "w/new"]);
  const files = { unchanged: 98, changed: 1, added: 1, deleted: 1 };
  expect(counts).toEqual({ ...files, copied: 98, files });
  expect(copied.bytes).toBe(196 * MIB);
});

it.each<[string, Partial<EntryStat>]>([
  ["size", { size: 512 }],
  ["mode", { mode: 0o600 }],
  ["uid", { uid: 0 }],
  ["gid", { gid: 0 }],
  ["mtime by one ns", { mtimeNs: 0n }],
  ["ctime by one ns", { ctimeNs: 3n }],
  ["inode", { ino: 4n }],
  ["type", { type: "l", size: 0, link: "x" }],
])("packs a file that differs in %s only", (_field, change) => {
  const before = numbered(10);
  const { fresh, counts } = plan(archiveOf(before), before.with(0, file("w/0", change)));
  expect(names(fresh.files)).toEqual(["w/0"]);
  expect(counts).toMatchObject({ unchanged: 9, changed: 1, copied: 9 });
});

it("packs a symbolic link that points elsewhere", () => {
  const link = (target: string): EntryStat => file("w/s", { type: "l", size: 0, link: target });
  const before = numbered(9);
  expect(names(plan(archiveOf([...before, link("a")]), [...before, link("b")]).fresh.files)).toEqual(["w/s"]);
});

it("packs everything that was racily clean or changed while it was read", () => {
  const before = numbered(10);
  const { mode, fullReason, counts } = plan(archiveOf(before, 2 * MIB, 2), before);
  expect({ mode, fullReason }).toEqual({ mode: "full", fullReason: "nothing_unchanged" });
  expect(counts).toMatchObject({ unchanged: 0, changed: 10, deleted: 0 });
});

it("says why nothing is copied", () => {
  const before = numbered(10);
  expect(plan(undefined, before).fullReason).toBe("no_previous");
  const everyOther = before.map((entry, n) => (n % 2 === 0 ? entry : { ...entry, ctimeNs: 9n }));
  expect(plan(archiveOf(before), everyOther)).toMatchObject({
    mode: "full",
    fullReason: "too_fragmented",
    counts: { unchanged: 5, copied: 0 },
  });
});

it("splits a long run evenly, under the largest copy and over the smallest part", () => {
  const before = numbered(11);
  const { parts } = plan(archiveOf(before), before, { maxCopyPartBytes: 8 * MIB }).copied;
  expect(parts.map((part) => part.bytes)).toEqual([7_689_557, 7_689_557, 7_689_558]);
  expect(parts.reduce((end, part) => (part.offset === end ? end + part.bytes : -1), 0)).toBe(22 * MIB);
});

describe("a long run is copied in pieces", () => {
  const GIB = 1024 * MIB;
  const whole = (entries: number, bytesEach: number, options: Partial<PlanOptions> = {}): number[] => {
    const before = numbered(entries);
    const { parts, bytes } = plan(archiveOf(before, bytesEach), before, options).copied;
    expect(parts.reduce((end, part) => (part.offset === end ? end + part.bytes : -1), 0)).toBe(bytes);
    return parts.map((part) => part.bytes);
  };

  it("that go on side by side, evenly large", () => {
    expect(whole(10, 100 * MIB)).toEqual([250 * MIB, 250 * MIB, 250 * MIB, 250 * MIB]);
    expect(whole(2, 100 * MIB)).toEqual([200 * MIB]);
  });

  it("that grow until they are few enough, up to the largest part that S3 copies", () => {
    const growing = whole(1000, 5 * GIB);
    expect(growing.length).toBeLessThanOrEqual(S3_COPY_LIMITS.maxCopyParts);
    expect(Math.max(...growing)).toBeLessThanOrEqual(1024 * MIB);
    expect(whole(2, 5 * GIB, { maxCopyParts: 2 })).toEqual([5 * GIB, 5 * GIB]);
  });
});

it("says so where the whole previous archive is smaller than what S3 copies", () => {
  const before = numbered(2);
  expect(plan(archiveOf(before), before)).toMatchObject({
    mode: "full",
    fullReason: "below_minimum_part",
    counts: { unchanged: 2 },
  });
});

it("gives up the smallest runs when there are too many, and keeps the largest", () => {
  const before = numbered(30);
  const holes = new Set(["w/3", "w/7", "w/18"]);
  const after = before.filter((entry) => !holes.has(entry.name));
  const { parts } = plan(archiveOf(before), after, { maxCopyParts: 2 }).copied;
  expect(parts).toEqual([
    { offset: 16 * MIB, bytes: 20 * MIB },
    { offset: 38 * MIB, bytes: 22 * MIB },
  ]);
});

it("never copies a hard link whose target is packed after it or stands behind it", () => {
  const target = file("w/target");
  const link = file("w/link", { type: "h", size: 0, link: "w/target" });
  const filler = numbered(6);
  const after = [target, ...filler, link];
  const bothCopied = plan(archiveOf([file("w/gone"), target, ...filler, link]), after);
  expect(bothCopied.fresh.count).toBe(0);
  const lonelyTarget = plan(archiveOf([target, file("w/gone"), ...filler, link]), after);
  expect(names(lonelyTarget.fresh.files)).toEqual(["w/target"]);
  expect(names(lonelyTarget.fresh.hardLinks)).toEqual(["w/link"]);
  const wrongOrder = plan(archiveOf([link, ...filler, target]), after);
  expect(names(wrongOrder.fresh.hardLinks)).toEqual(["w/link"]);
});

it("copies directories only together with everything in them, and packs them deepest first", () => {
  const directory = (name: string): EntryStat => file(name, { type: "d", size: 0 });
  const dirs = [directory("w"), directory("w/a"), directory("w/a/b")];
  const files = numbered(8);
  const previous = archiveOf([...files, ...dirs.toReversed()]);
  expect(plan(previous, [...dirs, ...files]).fresh.count).toBe(0);
  const touched = plan(previous, [...dirs, ...files.with(0, file("w/0", { ctimeNs: 9n }))]);
  expect(names(touched.fresh.directories)).toEqual(["w/a/b", "w/a", "w"]);
  expect(touched.counts).toMatchObject({ changed: 1, unchanged: 10, copied: 7 });
});

it("packs links that lead out right after their directory, which tar makes last", () => {
  const link = (name: string, target: string): EntryStat => file(name, { type: "l", size: 0, link: target });
  const dirs = [file("w", { type: "d", size: 0 }), file("w/a", { type: "d", size: 0 })];
  const links = [link("w/a/up", "../x"), link("w/a/down", "b/..c"), link("w/root", "/etc/x")];
  const files = numbered(8);
  const all = [...dirs, ...links, ...files];
  const { fresh } = plan(undefined, all);
  expect(names(fresh.files)).toEqual(["w/a/down", ...names(files)]);
  expect(names(fresh.directories)).toEqual(["w/a", "w/a/up", "w", "w/root"]);
  const previous = archiveOf([...fresh.files, ...fresh.directories]);
  expect(plan(previous, all).fresh.count).toBe(0);
  const touched = plan(previous, [...all, file("w/new")]);
  expect(names(touched.fresh.directories)).toEqual(["w/a", "w/a/up", "w", "w/root"]);
});

it("reuses neither of two previous entries with one name", () => {
  const filler = numbered(6);
  const { fresh } = plan(archiveOf([file("w/twin"), ...filler, file("w/twin")]), [file("w/twin"), ...filler]);
  expect(names(fresh.files)).toEqual(["w/twin"]);
});

it("counts a name once that the walk gives twice", () => {
  const [entry, other] = [file("w/a"), file("w/b")];
  expect(names(plan(archiveOf([other]), [entry, entry, other, other]).fresh.files)).toEqual(["w/a", "w/b"]);
});

it("tells 50,000 names apart", () => {
  const many = Array.from({ length: 50_000 }, (_, n) => file(`w/${n}`, { size: 0, ino: BigInt(n) }));
  const { counts } = plan(archiveOf(many, 1000), many);
  const files = { unchanged: 50_000, changed: 0, added: 0, deleted: 0 };
  expect(counts).toEqual({ ...files, copied: 50_000, files });
});
