// Archives that the product packed, extracted by the product: the tree is the site's, over a wire that drops, in part,
// and when it is stopped in the middle.
import {
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { extractArchive } from "#runner/io/restore/extract-archive.ts";
import { type ObjectReader, openObjectReader, type RangeSource } from "#runner/io/restore/object-reader.ts";
import { type IndexedArchive, openArchive } from "#runner/io/restore/open-archive.ts";
import { restoreTo } from "#runner/restore-to.ts";
import { BackupError } from "#shared/errors.ts";
import { manualClock } from "#test/fakes/manual-clock.ts";
import { noise } from "#test/format/sample-archive.ts";
import { makeSite, type PackedArchive, packTo, type SiteOnDisk } from "#test/runner/io/pack-to-tree.ts";
import { memorySource } from "./craft-archive.ts";

const NOT_UTF8 = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0xff]);
const TIMES = { mtimeSlackNs: 300n };

let on: SiteOnDisk;
let packed: PackedArchive;
let bytes: Buffer;
beforeAll(async () => {
  on = await makeSite();
  fill(on.content);
  packed = await packTo(join(on.dir, "archive.tar.zst"), on, { dump: "-- dump\n".repeat(5000) });
  bytes = await readFile(packed.archive);
});
afterAll(async () => {
  await on?.[Symbol.asyncDispose]();
});

function fill(content: string): void {
  mkdirSync(join(content, "uploads/2026/07"), { recursive: true, mode: 0o750 });
  mkdirSync(join(content, "uploads/empty"), { mode: 0o2775 });
  mkdirSync(join(content, "p".repeat(90), "q".repeat(90)), { recursive: true });
  for (let at = 0; at < 200; at += 1) {
    writeFileSync(join(content, "uploads/2026", `picture ${at}.jpg`), noise(at, at * 41));
  }
  writeFileSync(join(content, "uploads/2026/07/large.bin"), noise(1, 700_000), { mode: 0o640 });
  writeFileSync(join(content, "p".repeat(90), "q".repeat(90), "r".repeat(200)), "long");
  writeFileSync(Buffer.concat([Buffer.from(`${content}/`), NOT_UTF8]), "bytes");
  writeFileSync(join(content, "ünïcode-日本"), "");
  symlinkSync("../nowhere", join(content, "dangling"));
  lutimesSync(join(content, "dangling"), 1_600_000_000, 1_600_000_000);
  linkSync(join(content, "uploads/2026/07/large.bin"), join(content, "z-hard"));
}

function newTarget(): string {
  return mkdtempSync(join(on.dir, "target-"));
}

const never: AbortSignal = new AbortController().signal;

async function opened(
  source: RangeSource = memorySource(bytes),
): Promise<IndexedArchive & { reader: ObjectReader }> {
  const reader = openObjectReader(source, { ...manualClock(), sleep: async () => undefined });
  const archive = await openArchive(reader, { signal: never, sha256Index: packed.result.sha256Index });
  if (archive.kind !== "indexed") throw new Error("the archive has no index");
  return archive;
}

/** As the site is: what was packed under names of their own lies where the site has it. */
async function differences(target: string): Promise<string[]> {
  const content = await compareTrees(on.content, join(target, "wp-content"), TIMES);
  const config = await readFile(join(target, "wp-config.php"));
  return config.equals(await readFile(join(on.site, "wp-config.php")))
    ? content
    : [...content, "wp-config.php"];
}

describe("a whole archive", () => {
  it("is the site again: bytes, modes, owners, times, links, names that are no text", async () => {
    const targetDir = newTarget();
    const result = await extractArchive({ archive: await opened(), selection: {}, targetDir, signal: never });
    expect(await differences(targetDir)).toEqual([]);
    expect(await readFile(join(targetDir, result.dbPath ?? ""), "utf8")).toBe("-- dump\n".repeat(5000));
    expect(result).toMatchObject({
      files: packed.summary.files,
      filesBytes: packed.summary.filesBytes,
      dbBytes: 40_000,
    });
  });

  it("is whole although every connection drops after some bytes", async () => {
    const targetDir = newTarget();
    const archive = await opened(dropping(memorySource(bytes), 30_000));
    await extractArchive({ archive, selection: {}, targetDir, signal: never });
    expect(await differences(targetDir)).toEqual([]);
    const { requests, bytes: received } = archive.reader.traffic();
    expect(requests).toBeGreaterThan(20);
    // What had come before a drop is not asked for again.
    expect(received).toBeLessThan(bytes.length + 2 * 65_536);
  });

  it("fails with the storage's error when nothing comes any more", async () => {
    const targetDir = newTarget();
    const archive = await opened(failingAt(dropping(memorySource(bytes), 30_000), 8));
    await expect(extractArchive({ archive, selection: {}, targetDir, signal: never })).rejects.toMatchObject({
      code: "storage_unreachable",
    });
  });

  it("stops with the signal's reason", async () => {
    const stop = new AbortController();
    const reason = new BackupError("cancelled");
    const extracting = extractArchive({
      archive: await opened(),
      selection: {},
      targetDir: newTarget(),
      signal: stop.signal,
      onProgress: () => stop.abort(reason),
    });
    await expect(extracting).rejects.toBe(reason);
  });
});

describe("a part of an archive", () => {
  it("costs the index, and the frame that holds it", async () => {
    const archive = await opened();
    const before = archive.reader.traffic();
    const selection = { paths: ["wp-content/uploads/2026/picture 7.jpg"] };
    const targetDir = newTarget();
    await extractArchive({ archive, selection, targetDir, signal: never });
    const after = archive.reader.traffic();
    expect(after.requests - before.requests).toBe(1);
    expect(after.bytes - before.bytes).toBeLessThanOrEqual(70_000);
    expect(readdirSync(targetDir, { recursive: true }).map(String).toSorted()).toEqual([
      "wp-content",
      "wp-content/uploads",
      "wp-content/uploads/2026",
      "wp-content/uploads/2026/picture 7.jpg",
    ]);
  });

  it.each([
    ["db", ["database.sql"]],
    ["config", ["wp-config.php"]],
    ["files", ["wp-content"]],
  ] as const)("can be %s", async (part, names) => {
    const targetDir = newTarget();
    await extractArchive({ archive: await opened(), selection: { only: [part] }, targetDir, signal: never });
    expect(readdirSync(targetDir)).toEqual(names);
  });

  it("can be a directory with all below it, each as it was", async () => {
    const targetDir = newTarget();
    const selection = { paths: ["./wp-content/uploads/"] };
    await extractArchive({ archive: await opened(), selection, targetDir, signal: never });
    const uploads = "wp-content/uploads";
    expect(await compareTrees(join(on.site, uploads), join(targetDir, uploads), TIMES)).toEqual([]);
  });
});

describe("restore --to", () => {
  const deps = { signal: never, clock: manualClock() };

  it("makes the directory when it is whole, and only then", async () => {
    const to = join(on.dir, "restored");
    let seen: string[] = [];
    const onProgress = (): void => {
      seen = readdirSync(on.dir).filter((name) => name.startsWith("restored"));
    };
    const request = { archive: await opened(), selection: {}, to, dryRun: false };
    await restoreTo(request, { ...deps, onProgress });
    expect(seen).toEqual(["restored.backupd-partial"]);
    expect(await differences(to)).toEqual([]);
  });

  it("leaves nothing behind when it fails", async () => {
    const to = join(on.dir, "failed");
    const archive = await opened(failingAt(dropping(memorySource(bytes), 30_000), 8));
    const request = { archive, selection: {}, to, dryRun: false };
    await expect(restoreTo(request, deps)).rejects.toMatchObject({ code: "storage_unreachable" });
    expect(readdirSync(on.dir).filter((name) => name.startsWith("failed"))).toEqual([]);
  });

  it("says what it would do, and does nothing, in a dry run", async () => {
    const to = join(on.dir, "dry");
    const archive = await opened();
    const before = archive.reader.traffic();
    const { extracted } = await restoreTo({ archive, selection: { only: ["db"] }, to, dryRun: true }, deps);
    expect(extracted).toMatchObject({ files: 0, dbBytes: 40_000 });
    expect(archive.reader.traffic()).toEqual(before);
    expect(readdirSync(on.dir)).not.toContain("dry");
  });

  it("refuses a directory with something in it, and a file", async () => {
    const archive = await opened();
    await copyFile(packed.archive, join(on.dir, "a-file"));
    for (const to of [on.content, join(on.dir, "a-file"), join(on.dir, "no", "parent")]) {
      const request = { archive, selection: {}, to, dryRun: false };
      await expect(restoreTo(request, deps)).rejects.toMatchObject({ code: "restore_target_unusable" });
    }
  });
});

/** Ends each answer with a socket's error after so many bytes. */
function dropping(source: RangeSource, afterBytes: number): RangeSource {
  return {
    ...source,
    async open(offset, length, signal) {
      const whole = await source.open(offset, length, signal);
      return (async function* () {
        for await (const piece of whole) {
          yield piece.subarray(0, afterBytes);
          if (piece.length > afterBytes)
            throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
        }
      })();
    },
  };
}

/** From the request of that number on, no connection is made. */
function failingAt(source: RangeSource, request: number): RangeSource {
  let count = 0;
  return {
    ...source,
    async open(offset, length, signal) {
      count += 1;
      if (count >= request) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return await source.open(offset, length, signal);
    },
  };
}
