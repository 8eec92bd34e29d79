// What a person reads after a backup, word for word.
import { expect, it } from "vitest";
import { describeArchive } from "#runner/plan/describe-archive.ts";
import { FullReason } from "#shared/contracts/backups.ts";
import { archiveFacts } from "#test/helpers/archive-facts.ts";

const stages = [
  { name: "preflight", seconds: 0.051 },
  { name: "dump", seconds: 2.3 },
  { name: "archive", seconds: 70.499 },
] as const;

const incremental = archiveFacts({
  mode: "incremental",
  full_reason: null,
  files: 22_003,
  files_compared: { unchanged: 21_980, changed: 3, added: 20, deleted: 2 },
  entries: 24_500,
  entries_unchanged: 24_471,
  entries_changed: 8,
  entries_added: 21,
  entries_deleted: 3,
  bytes_read: 9_100_000,
  bytes_compressed: 6_000_000,
  bytes_uploaded: 6_500_000,
  bytes_copied: 1_069_000_000,
  requests: 12,
  peak_rss_bytes: 190_000_000,
});

it("says all of an incremental one", () => {
  const backup = { archive: incremental, size_bytes: 1_075_500_000, stages: [...stages] };
  expect(describeArchive(backup)).toMatchInlineSnapshot(`
    [
      "archive   1.1 GB, what has not changed was copied inside S3",
      "files     22003 and the database: 21980 unchanged, 3 changed, 20 new; 2 deleted",
      "entries   24500, with links and directories: 24471 unchanged, 8 changed, 21 new; 3 deleted",
      "bytes     9.1 MB read, 6.0 MB compressed, 6.5 MB uploaded, 1.1 GB copied",
      "cost      12 requests, 190 MB peak memory",
      "time      1 min 13 s: preflight 0.05, dump 2.30, archive 70.50",
    ]
  `);
});

it("says how much of it an attempt before had sent, and nothing of files where they were not counted", () => {
  const { files_compared: _, ...archive } = archiveFacts({ bytes_resumed: 50_000_000 });
  expect(describeArchive({ archive, size_bytes: 60_000_000, stages: [] })).toMatchInlineSnapshot(`
    [
      "archive   60 MB, packed in full: it is the first",
      "files     3 and the database",
      "entries   5, with links and directories: 0 unchanged, 0 changed, 5 new; 0 deleted",
      "bytes     1.5 kB read, 700 B compressed, 1.0 kB uploaded, 0 B copied, 50 MB sent before by an attempt that was cut short",
      "cost      3 requests, 100 MB peak memory",
      "time      0.0 s: ",
    ]
  `);
});

it("has words of its own for every reason to pack in full", () => {
  const words = FullReason.options.map((full_reason) => {
    return describeArchive({ archive: archiveFacts({ full_reason }), size_bytes: 1, stages: [] })[0];
  });
  expect(words).toMatchInlineSnapshot(`
    [
      "archive   1 B, packed in full: it is the first",
      "archive   1 B, packed in full: the site's backups now go to another storage than the one before",
      "archive   1 B, packed in full: that was asked for",
      "archive   1 B, packed in full: one in thirty is",
      "archive   1 B, packed in full: nothing is as it was",
      "archive   1 B, packed in full: the previous archive is under 5 MiB, which S3 copies at least",
      "archive   1 B, packed in full: what has not changed is too little or too scattered to copy",
      "archive   1 B, packed in full: the previous archive's index could not be read",
      "archive   1 B, packed in full: the previous archive is gone, or this node may not read it",
      "archive   1 B, packed in full: the previous archive has been replaced",
      "archive   1 B, packed in full: the previous archive is in a cold storage class",
      "archive   1 B, packed in full: the storage refused to copy parts of the previous archive",
      "archive   1 B, packed in full: the storage failed to copy parts of the previous archive, or took too long",
    ]
  `);
});
