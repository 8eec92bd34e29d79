// What is known of one open upload, as lines in a file that only grows: enough to go on with the upload after a crash,
// or to end it. Each line carries its checksum and the first that does not hold ends the file, so that a power loss at
// any byte leaves less to go on with, and never something wrong.
import { crc32 } from "node:zlib";
import * as z from "zod";
import { SuccessReport } from "#shared/contracts/backups.ts";
import type { SentPart } from "../plan/copy/sent-parts.ts";
import type { EntryBlock, PackPlan, SentEarlier } from "./pack-protocol.ts";

const Count = z.int().min(0);

/** The first line: written and synced before the first part is sent. */
const Opened = z.object({
  is: z.literal("upload"),
  version: z.literal(1),
  job_id: z.string(),
  site_id: z.string(),
  bucket: z.string(),
  /** Absent: the default storage. */
  provider_id: z.string().optional(),
  key: z.string(),
  upload_id: z.string(),
  /** In the object's metadata: tells whether an object at the key comes from this upload. */
  token: z.string(),
  opened_at: z.iso.datetime(),
  /** No part number up to this one may be used for anything new. */
  last_number: Count,
  /** What this attempt copies: a stretch of its tar that is not in this ledger. */
  gap: z.object({ tar_offset: Count, tar_bytes: Count }),
});
export type Opened = z.infer<typeof Opened>;

/** Index lines of entries: of those that were kept at the start, then of the fresh ones as they are packed. */
const Entries = z.object({ is: z.literal("entries"), tar_end: Count, lines: z.base64() });

const Part = z.object({
  is: z.literal("part"),
  number: z.int().min(1).max(10_000),
  etag: z.string(),
  crc32: z.string(),
  tar_offset: Count,
  /** Stored bytes, bytes of tar, SHA-256. */
  frames: z.array(z.tuple([Count, Count, z.string().regex(/^[0-9a-f]{64}$/)])).min(1),
});

/** Right before the completion: the report if it works; its ETag is only known afterwards. */
const Completing = z.object({ is: z.literal("completing"), report: SuccessReport });
/** It is only to be ended. */
const Abandoned = z.object({ is: z.literal("abandoned") });

const LedgerRecord = z.discriminatedUnion("is", [Opened, Entries, Part, Completing, Abandoned]);
export type LedgerRecord = z.infer<typeof LedgerRecord>;

export interface LedgerPart extends SentPart {
  readonly etag: string;
  readonly crc32: string;
}

export interface Ledger {
  readonly opened: Opened;
  readonly parts: readonly LedgerPart[];
  readonly blocks: readonly EntryBlock[];
  /** Newest last. */
  readonly reports: readonly SuccessReport[];
  readonly isAbandoned: boolean;
}

const NEWLINE = 0x0a;
const CHECKSUM_DIGITS = 8;
const SEPARATOR = " ";

export function encodeRecord(record: LedgerRecord): string {
  const json = JSON.stringify(record);
  return `${checksumOf(Buffer.from(json))}${SEPARATOR}${json}\n`;
}

/** Undefined if not even the first line is whole. */
export function readLedger(file: Buffer): Ledger | undefined {
  const records = recordsOf(file);
  const first = records.next();
  if (first.done === true || first.value.is !== "upload") return undefined;
  const parts = new Map<number, LedgerPart>();
  const blocks: EntryBlock[] = [];
  const reports: SuccessReport[] = [];
  let isAbandoned = false;
  for (const record of records) {
    if (record.is === "upload") break;
    if (record.is === "entries") blocks.push(blockOf(record));
    if (record.is === "part") parts.set(record.number, partOf(record));
    if (record.is === "completing") reports.push(record.report);
    if (record.is === "abandoned") isAbandoned = true;
  }
  return { opened: first.value, parts: [...parts.values()], blocks, reports, isAbandoned };
}

/**
 * How the ledger of an attempt begins that goes on with an earlier one: what is kept, of the parts `before`, at its new
 * places, so that the attempt after it sees one archive. Should the earlier attempt have completed the upload after all,
 * its `reports` are still wanted; right behind the first line, where they are found without reading the rest.
 */
export function firstRecords(
  opened: Opened,
  kept: PackPlan["kept"],
  before: { readonly parts: readonly LedgerPart[]; readonly reports: readonly SuccessReport[] },
): LedgerRecord[] {
  const stored = new Map(before.parts.map((part) => [part.number, part]));
  const parts = kept.parts.flatMap((part) => {
    const known = stored.get(part.number);
    return known === undefined ? [] : [partRecord({ ...known, ...part })];
  });
  const reports = before.reports.map((report): LedgerRecord => ({ is: "completing", report }));
  return [opened, ...reports, ...kept.blocks.map(blockRecord), ...parts];
}

/** What of the ledger the planner may choose from: `parts` are those that the storage has. */
export function sentEarlier({ opened, blocks }: Ledger, parts: readonly LedgerPart[]): SentEarlier {
  const { tar_offset: tarOffset, tar_bytes: tarBytes } = opened.gap;
  return { parts, blocks, gap: { tarOffset, tarBytes } };
}

function* recordsOf(file: Buffer): Generator<LedgerRecord, undefined> {
  for (let from = 0; ; ) {
    const end = file.indexOf(NEWLINE, from);
    if (end === -1) return undefined;
    const record = decodeRecord(file.subarray(from, end));
    if (record === undefined) return undefined;
    yield record;
    from = end + 1;
  }
}

/** A line without its end; undefined if it is not whole. */
export function decodeRecord(line: Buffer): LedgerRecord | undefined {
  const json = line.subarray(CHECKSUM_DIGITS + SEPARATOR.length);
  const head = line.toString("latin1", 0, CHECKSUM_DIGITS + SEPARATOR.length);
  if (head !== checksumOf(json) + SEPARATOR) return undefined;
  try {
    return LedgerRecord.parse(JSON.parse(json.toString("utf8")));
  } catch {
    return undefined; // Whole, but of another version.
  }
}

function checksumOf(json: Buffer): string {
  return crc32(json).toString(16).padStart(CHECKSUM_DIGITS, "0");
}

export function blockRecord({ lines, tarEnd }: EntryBlock): LedgerRecord {
  return { is: "entries", tar_end: tarEnd, lines: Buffer.from(lines).toString("base64") };
}

function blockOf(record: z.infer<typeof Entries>): EntryBlock {
  return { lines: Buffer.from(record.lines, "base64"), tarEnd: record.tar_end };
}

export function partRecord({ number, etag, crc32: checksum, tarOffset, frames }: LedgerPart): LedgerRecord {
  return {
    is: "part",
    number,
    etag,
    crc32: checksum,
    tar_offset: tarOffset,
    frames: frames.map(({ compressedBytes, tarBytes, sha256 }) => [compressedBytes, tarBytes, sha256]),
  };
}

function partOf(record: z.infer<typeof Part>): LedgerPart {
  const { number, etag, crc32: checksum, tar_offset: tarOffset, frames } = record;
  return {
    number,
    etag,
    crc32: checksum,
    tarOffset,
    frames: frames.map(([compressedBytes, tarBytes, sha256]) => ({ compressedBytes, tarBytes, sha256 })),
  };
}
