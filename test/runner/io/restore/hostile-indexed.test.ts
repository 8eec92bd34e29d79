// Archives of our own format that mean harm: index and tar are made to disagree, frames to explode, links to lead
// astray. Whoever can write to the bucket can make them; none may write outside the target or pass for good.
import { hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statfsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTreeBuilder } from "#runner/io/restore/tree-builder.ts";
import { fromUtf8 } from "#runner/plan/byte-string.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import {
  type Cage,
  type CraftChanges,
  craftArchive,
  directoryEntry,
  fileEntry,
  linkEntry,
  makeCage,
  tarEntry,
} from "./craft-archive.ts";

let cage: Cage;
beforeEach(() => {
  cage = makeCage();
});
afterEach(() => {
  cage[Symbol.dispose]();
});

const GOOD = [fileEntry("wp-config.php", "<?php"), fileEntry("wp-content/a", "content of a")];
const outside = "../../outside";

/** The first frame with other bytes, under a hash that is right for them. */
const stored = (make: (frame: Buffer) => Buffer, tarBytes?: number): CraftChanges => ({
  frame: (at, frame, record) => {
    if (at !== 0) return [frame, record];
    const bytes = make(frame);
    const honest: FrameRecord = { ...record, compressedBytes: bytes.length, sha256: hash("sha256", bytes) };
    return [bytes, { ...honest, tarBytes: tarBytes ?? record.tarBytes }];
  },
});
const line = (from: string, to: string): CraftChanges => ({
  lines: (lines) => lines.map((text) => text.replace(from, to)),
});

const REFUSED: Record<string, () => Buffer> = {
  "an index name that climbs": () => craftArchive([fileEntry(`${outside}/victim`, "pwned")]),
  "an absolute index name": () => craftArchive([fileEntry("/tmp/backupd-pwned", "pwned")]),
  "a tar name that is not the index's": () =>
    craftArchive([fileEntry("wp-content/a", "pwned", {}, { name: `${outside}/victim` })]),
  "a tar type that is not the index's": () =>
    craftArchive([fileEntry("wp-content/a", "", {}, { type: "2", link: `${outside}/victim` })]),
  "a tar size that is not the index's": () => craftArchive([fileEntry("wp-content/a", "12345", { size: 4 })]),
  "a mode that is not the index's": () =>
    craftArchive([fileEntry("wp-content/a", "1", {}, { mode: 0o4755 })]),
  "an owner that is not the index's": () => craftArchive([fileEntry("wp-content/a", "1", {}, { uid: 4242 })]),
  "a time that is not the index's": () => craftArchive([fileEntry("wp-content/a", "1", {}, { mtime: 1 })]),
  "a tar entry that the index hides": () => {
    const { line: a, tar } = fileEntry("wp-content/a", "1");
    return craftArchive([{ line: a, tar: Buffer.concat([tar, tarEntry({ name: "hidden", content: "x" })]) }]);
  },
  "zeros where an entry should be": () => {
    const { line: a, tar } = fileEntry("wp-content/a", "1");
    return craftArchive([{ line: a, tar: Buffer.alloc(tar.length) }]);
  },
  "a symlink, and a file through it": () =>
    craftArchive([linkEntry("l", "wp-content", outside), fileEntry("wp-content/victim", "pwned")]),
  "a symlink, and a file over it": () =>
    craftArchive([linkEntry("l", "x", `${outside}/victim`), fileEntry("x", "pwned")]),
  "a symlink below a symlink": () =>
    craftArchive([linkEntry("l", "a", outside), linkEntry("l", "a/b", "/etc/passwd")]),
  "a directory over a symlink": () => craftArchive([linkEntry("l", "a", outside), directoryEntry("a")]),
  "a directory over a file": () => craftArchive([fileEntry("a", "1"), directoryEntry("a")]),
  "two entries of one name": () => craftArchive([fileEntry("a", "1"), fileEntry("a", "2")]),
  "a file below a file": () => craftArchive([fileEntry("a", "1"), fileEntry("a/b", "2")]),
  "a hard link that climbs": () => craftArchive([linkEntry("h", "x", `${outside}/victim`)]),
  "a hard link to nothing": () => craftArchive([linkEntry("h", "x", "y")]),
  "a hard link to itself": () => craftArchive([linkEntry("h", "x", "x")]),
  "a hard link to what comes later": () => craftArchive([linkEntry("h", "x", "a"), fileEntry("a", "1")]),
  "a hard link to a symlink": () =>
    craftArchive([linkEntry("l", "s", `${outside}/victim`), linkEntry("h", "x", "s")]),
  "a hard link to a directory": () => craftArchive([directoryEntry("d"), linkEntry("h", "x", "d")]),
  "a frame with a wrong hash": () =>
    craftArchive(GOOD, { frame: (_at, frame, record) => [frame, { ...record, sha256: "0".repeat(64) }] }),
  "a frame that holds more than it says": () =>
    craftArchive(
      GOOD,
      stored(() => zstdCompressSync(Buffer.alloc(50_000_000))),
    ),
  "a frame that holds less than it says": () =>
    craftArchive(
      GOOD,
      stored(() => zstdCompressSync(Buffer.alloc(5))),
    ),
  "two frames in the place of one": () =>
    craftArchive(
      GOOD,
      stored((frame) => Buffer.concat([frame, frame])),
    ),
  "a frame with a skippable one behind it": () =>
    craftArchive(
      GOOD,
      stored((frame) => Buffer.concat([frame, Buffer.from("502a4d180000000000", "hex")])),
    ),
  "a frame that is none": () =>
    craftArchive(
      GOOD,
      stored((frame) => Buffer.alloc(frame.length, 7)),
    ),
  "frames that no memory holds": () =>
    craftArchive(
      GOOD,
      stored((frame) => frame, 2 ** 30),
    ),
  "an index that is not the trailer's": () => craftArchive(GOOD, { trailerSha256: "0".repeat(64) }),
  "a seek table that disagrees with the index": () =>
    craftArchive(GOOD, {
      row: (at, row) => (at === 0 ? { ...row, decompressedBytes: row.decompressedBytes + 1 } : row),
    }),
  "an index that counts more entries than it has": () => craftArchive(GOOD, { header: { entries: 9 } }),
  "entries that overlap": () => craftArchive(GOOD, line('"wp-content/a",1024', '"wp-content/a",0')),
  "an entry between two others that no frame begins": () =>
    craftArchive(GOOD, line('"wp-content/a",1024', '"wp-content/a",512')),
  "a lost end": () => craftArchive(GOOD).subarray(0, -4),
  "an end of another archive": () => {
    const archive = craftArchive(GOOD);
    return Buffer.concat([archive.subarray(0, 100), archive]);
  },
};

describe("an archive is refused for", () => {
  it.each(Object.keys(REFUSED))("%s", async (name) => {
    const archive = REFUSED[name]?.() ?? Buffer.alloc(0);
    await expect(cage.extract(archive)).rejects.toMatchObject({ code: "archive_corrupt" });
    expect(readFileSync(cage.victim, "utf8")).toBe("not yours");
  });

  it("an index that is not the one on record, however right it is in itself", async () => {
    const archive = craftArchive(GOOD);
    const other = { sha256Index: "1".repeat(64) };
    await expect(cage.extract(archive, other)).rejects.toMatchObject({ code: "archive_corrupt" });
    await expect(cage.extract(archive)).resolves.toMatchObject({ files: 2 });
  });

  it("more content than the disk has room for, before anything is written", async () => {
    const { bavail, bsize } = statfsSync(cage.dir);
    const frameBytes = 2 ** 26;
    const entry = fileEntry("wp-content/bomb", "");
    const frames = Math.ceil((bavail * bsize) / frameBytes) + 2;
    const size = (frames - 1) * frameBytes;
    const bomb = { line: { ...entry.line, size }, tar: entry.tar };
    const lines = (all: readonly string[]): readonly string[] => {
      const [header = "", , , file = ""] = all;
      const fake = Array.from({ length: frames }, (_, at) =>
        JSON.stringify([at, 1, at * frameBytes, frameBytes, "0".repeat(64)]),
      );
      return [header, ...fake, file];
    };
    const tarBytes = frames * frameBytes;
    const header = { tar_bytes: tarBytes, entries_end: tarBytes - 1024, frames };
    const archive = withFakeFrames(craftArchive([bomb], { lines, header }), frames, frameBytes);
    await expect(cage.extract(archive)).rejects.toMatchObject({ code: "disk_full" });
    expect(readdirSync(cage.target)).toEqual([]);
  });
});

describe("a good archive", () => {
  it("comes out as it went in, links and empty directories included", async () => {
    const entries = [
      ...GOOD,
      fileEntry("wp-content/run", "#!", { mode: 0o4755 }, { mode: 0o4755 }),
      linkEntry("l", "wp-content/up", outside),
      linkEntry("h", "wp-content/b", "wp-content/a"),
      directoryEntry("wp-content/empty"),
    ];
    const result = await cage.extract(craftArchive(entries));
    expect(result).toMatchObject({ files: 4, symlinks: 1, directories: 1, filesBytes: 19 });
    expect(cage.tree()).toEqual({
      ".": "755 dir",
      "wp-config.php": "644 1 <?php",
      "wp-content": "755 dir",
      "wp-content/a": "644 2 content of a",
      "wp-content/b": "644 2 content of a",
      "wp-content/empty": "755 dir",
      // Not as a program that runs as its owner.
      "wp-content/run": "755 1 #!",
      "wp-content/up": "-> ../../outside",
    });
  });

  it("gives a hard link its content when the file itself is not wanted", async () => {
    const entries = [
      ...GOOD,
      linkEntry("h", "wp-content/b", "wp-content/a"),
      linkEntry("h", "wp-content/c", "wp-content/a"),
    ];
    const paths = ["wp-content/b", "wp-content/c"];
    await cage.extract(craftArchive(entries), { selection: { paths } });
    expect(cage.tree()).toMatchObject({
      "wp-content/b": "644 2 content of a",
      "wp-content/c": "644 2 content of a",
    });
    expect(cage.tree()).not.toHaveProperty("wp-content/a");
  });

  it("names what is near when a path is not in it", async () => {
    const wrong = { selection: { paths: ["wp-confg.php"] } };
    await expect(cage.extract(craftArchive(GOOD), wrong)).rejects.toMatchObject({
      code: "archive_path_unknown",
      hint: "Did you mean wp-config.php?",
    });
  });

  it("is not extracted over anything that is there", async () => {
    await cage.extract(craftArchive(GOOD));
    await expect(cage.extract(craftArchive(GOOD))).rejects.toMatchObject({ code: "restore_target_unusable" });
  });
});

describe("somebody else in the target", () => {
  it("cannot lead us out with a symlink planted while we work", () => {
    using tree = openTreeBuilder(fromUtf8(cage.target));
    const planted = join(cage.target, "wp-content");
    symlinkSync(join(cage.dir, "outside"), planted);
    const metadata = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
    for (const attempt of [
      () => tree.createFile("wp-content/victim", metadata),
      () => tree.createFile("wp-content", metadata),
      () => tree.symlink("wp-content/x", "/", metadata),
      () => tree.finishDirectory("wp-content", metadata),
      () => tree.hardLink("x", "wp-content/victim"),
    ]) {
      expect(attempt).toThrow(expect.objectContaining({ code: "archive_corrupt" }) as unknown as Error);
    }
    expect(readdirSync(join(cage.dir, "outside"))).toEqual(["victim"]);
  });

  it("cannot swap the target itself", () => {
    using tree = openTreeBuilder(fromUtf8(cage.target));
    mkdirSync(join(cage.target, "wp-content"));
    tree.createFile("wp-content/a", { mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n }).close();
    expect(readdirSync(join(cage.target, "wp-content"))).toEqual(["a"]);
  });
});

/** Data frames of one byte each in the place of those that are there. */
function withFakeFrames(archive: Buffer, frames: number, frameBytes: number): Buffer {
  const table = archive.length - (archive.readUInt32LE(archive.length - 9) * 8 + 17);
  const trailer = Buffer.from(archive.subarray(table - 80, table));
  const indexBytes = Number(trailer.readBigUInt64LE(8 + 24));
  const index = archive.subarray(table - 80 - indexBytes, table - 80);
  trailer.writeBigUInt64LE(BigInt(frames), 8 + 16);
  const rows = [...Array.from({ length: frames }, () => [1, frameBytes]), [indexBytes, 0], [80, 0]];
  const seek = Buffer.alloc(rows.length * 8 + 17);
  seek.writeUInt32LE(0x184d_2a5e, 0);
  seek.writeUInt32LE(seek.length - 8, 4);
  for (const [at, [size = 0, plain = 0]] of rows.entries()) {
    seek.writeUInt32LE(size, 8 + at * 8);
    seek.writeUInt32LE(plain, 12 + at * 8);
  }
  seek.writeUInt32LE(rows.length, seek.length - 9);
  seek.writeUInt32LE(0x8f92_eab1, seek.length - 4);
  return Buffer.concat([Buffer.alloc(frames), index, trailer, seek]);
}
