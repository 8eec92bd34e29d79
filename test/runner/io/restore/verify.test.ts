// Verification finds every lie that is planted, says which, and finds nothing in what the product packs.
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FoundArchive } from "#runner/find-archive.ts";
import { openObjectReader } from "#runner/io/restore/object-reader.ts";
import { openArchive } from "#runner/io/restore/open-archive.ts";
import { type VerifiedBackup, verify } from "#runner/verify.ts";
import { manualClock } from "#test/fakes/manual-clock.ts";
import { makeSite, packTo } from "#test/runner/io/pack-to-tree.ts";
import {
  type CraftChanges,
  type CraftEntry,
  craftArchive,
  directoryEntry,
  fileEntry,
  memorySource,
  plainArchive,
  tarEntry,
} from "./craft-archive.ts";

const DUMP = "CREATE TABLE `wp_options` (\n);\nCREATE TABLE `wp_posts` (\n);\n-- Dump completed\n";
const FILES = [
  fileEntry("wp-config.php", "<?php"),
  fileEntry("wp-content/a", "content of a"),
  directoryEntry("wp-content"),
];

/** A whole site, with that dump in the tar and what the index says of the dump. */
function archiveOf(dump: string, said: string = dump, changes: CraftChanges = {}): Buffer {
  const entries = [...FILES, fileEntry("database.sql", dump, {}, {})];
  return craftArchive(entries, {
    ...changes,
    header: { database: databaseOf(entries, said), ...changes.header },
  });
}

function databaseOf(entries: readonly CraftEntry[], dump: string): Record<string, unknown> {
  const before = entries.slice(0, -1).reduce((sum, { tar }) => sum + tar.length, 0);
  const tarBytes = entries.at(-1)?.tar.length ?? 0;
  const place = { tar_offset: before, tar_bytes: tarBytes };
  return { name: "database.sql", ...place, bytes: dump.length, sha256: hash("sha256", dump) };
}

interface Trusted {
  readonly sha256Index?: string;
  readonly sha256Dump?: string;
}

async function verified(bytes: Buffer, { sha256Index, sha256Dump }: Trusted = {}): Promise<VerifiedBackup> {
  const signal = new AbortController().signal;
  const open = async (): Promise<FoundArchive> => {
    const reader = openObjectReader(memorySource(bytes), manualClock());
    const archive = await openArchive(reader, { signal, sha256Index });
    const found = {
      archive,
      label: "test",
      trust: "record" as const,
      [Symbol.asyncDispose]: async () => undefined,
    };
    return sha256Dump === undefined ? found : { ...found, record: recordOf(sha256Dump) };
  };
  return await verify(open, { signal, clock: manualClock() });
}

function recordOf(sha256_dump: string): NonNullable<FoundArchive["record"]> {
  const id = "00000000-0000-4000-8000-000000000000";
  const at = "2026-01-01T00:00:00.000Z";
  const names = {
    backup_id: id,
    site_id: id,
    site_name: "shop",
    s3_path: "/x",
    etag: "e",
    url: "https://x.example",
  };
  const sha256_index = "0".repeat(64);
  return { ...names, created_at: at, url_expires_at: at, size_bytes: 1, sha256_index, sha256_dump };
}

async function messages(bytes: Buffer, trusted: Trusted = {}): Promise<string[]> {
  return (await verified(bytes, trusted)).findings.map(({ message }) => message);
}

describe("nothing is found", () => {
  it("in a whole archive, and everything in it is counted", async () => {
    const result = await verified(archiveOf(DUMP), { sha256Dump: hash("sha256", DUMP) });
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({
      frames: 5,
      entries: 4,
      files: 2,
      filesBytes: 17,
      dbBytes: DUMP.length,
      tables: 2,
    });
  });

  it("in what the product packs", async () => {
    await using on = await makeSite();
    const { archive, result } = await packTo(join(on.dir, "archive.tar.zst"), on, { dump: DUMP });
    expect(await messages(await readFile(archive), { sha256Index: result.sha256Index })).toEqual([]);
  });

  it("in another tool's archive that is whole", async () => {
    expect(await messages(plainArchive(tarEntry({ content: "x" })))).toEqual([]);
  });
});

const CUT = DUMP.slice(0, 40);

describe("a finding is", () => {
  it.each<[string, () => Buffer, string]>([
    ["a dump cut in the middle", () => archiveOf(CUT), "The dump is cut off"],
    [
      "a table dropped from the dump",
      () => archiveOf(DUMP.replace("CREATE TABLE `wp_posts`", "-- a table less here ...".slice(0, 23)), DUMP),
      "The dump is not the one that was made",
    ],
    [
      "a dump that is not there",
      () => craftArchive(FILES, { header: { database: databaseOf(FILES, DUMP) } }),
      "The database has no entry",
    ],
    [
      "a flipped byte in a frame",
      () => {
        const archive = archiveOf(DUMP);
        archive.writeUInt8(archive.readUInt8(30) ^ 1, 30);
        return archive;
      },
      "The frame at 0 is damaged",
    ],
    [
      "a file missing from the tar",
      () => {
        const [config, , directory] = FILES;
        const { line } = fileEntry("wp-content/a", "content of a");
        const gone = { line, tar: Buffer.alloc(1024) };
        return craftArchive([config, gone, directory].filter((entry) => entry !== undefined));
      },
      "wp-content/a does not end where its index line says",
    ],
    [
      "zeros between two files, which end the tar for other readers",
      () => {
        const [config, file] = FILES;
        const padded = {
          line: config?.line ?? FILES[0]?.line,
          tar: Buffer.concat([config?.tar ?? Buffer.alloc(0), Buffer.alloc(512)]),
        };
        return craftArchive([padded as CraftEntry, file as CraftEntry]);
      },
      "wp-config.php does not end where its index line says",
    ],
    [
      "another file in the tar than in the index",
      () => craftArchive([fileEntry("wp-content/a", "x", {}, { name: "wp-content/b" })]),
      "has another name",
    ],
    [
      "something behind the tar's end",
      () => {
        const last = fileEntry("wp-content/b", "x");
        const lines = (all: readonly string[]): readonly string[] => all.slice(0, -1);
        const before = FILES.reduce((sum, { tar }) => sum + tar.length, 0);
        return craftArchive([...FILES, last], {
          lines,
          header: { entries: FILES.length, entries_end: before },
        });
      },
      "The tar does not end with zeros",
    ],
    ["a lost end", () => archiveOf(DUMP).subarray(0, -1), "seek table"],
    [
      "another tool's archive that is cut off",
      () => plainArchive(tarEntry({ content: "x" })).subarray(0, -3),
      "cut off",
    ],
  ])("%s", async (_what, make, words) => {
    const found = await messages(make());
    expect(found).toContainEqual(expect.stringContaining(words));
  });

  it("an index, or a dump, that is not the one on record", async () => {
    const wrong = "1".repeat(64);
    expect(await messages(archiveOf(DUMP), { sha256Index: wrong })).toEqual([
      expect.stringContaining("not the one on record"),
    ]);
    expect(await messages(archiveOf(DUMP), { sha256Dump: wrong })).toEqual([
      expect.stringContaining("Master's record"),
    ]);
  });

  it("every damaged frame, not only the first", async () => {
    const spoil: CraftChanges = {
      frame: (at, frame, record) => [
        frame,
        at === 0 || at === 2 ? { ...record, sha256: "0".repeat(64) } : record,
      ],
    };
    const found = await messages(archiveOf(DUMP, DUMP, spoil));
    expect(found.filter((message) => message.includes("is damaged"))).toHaveLength(2);
  });
});
