// What has to be known of every open upload each time a job is claimed, without reading its ledger whole: that of a
// million files is some 40 MB.
import { type FileHandle, open } from "node:fs/promises";
import type { SuccessReport } from "#shared/contracts/backups.ts";
import { decodeRecord, type LedgerRecord, type Opened } from "./upload-ledger.ts";

export interface LedgerHead {
  readonly opened: Opened;
  /** There is something to go on with. */
  readonly hasParts: boolean;
  /** Newest last. */
  readonly reports: readonly SuccessReport[];
  readonly isAbandoned: boolean;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 65_536;
/** After the checksum; entries are most of a ledger, and nothing of them is wanted here. */
const ENTRIES = ` {"is":"entries"`;
const ENTRIES_AT = 8;

/**
 * Reads up to the first part, and the last line: a report that is not right behind the first line is the last thing that
 * an attempt has written. Undefined if not even the first line is whole; throws what the file system says.
 */
export async function readLedgerHead(path: string): Promise<LedgerHead | undefined> {
  await using file = await open(path, "r");
  const reports: SuccessReport[] = [];
  let opened: Opened | undefined;
  let hasParts = false;
  let isAbandoned = false;
  let position = 0;
  for await (const { line, end } of linesOf(file)) {
    position = end;
    if (opened !== undefined && line.toString("latin1", ENTRIES_AT, ENTRIES_AT + ENTRIES.length) === ENTRIES)
      continue;
    const record: LedgerRecord | undefined = decodeRecord(line);
    if (opened === undefined) {
      if (record?.is !== "upload") return undefined;
      opened = record;
      continue;
    }
    hasParts = record?.is === "part";
    if (record?.is === "abandoned") isAbandoned = true;
    if (record?.is === "completing") reports.push(record.report);
    else break;
  }
  if (opened === undefined) return undefined;
  const last = await lastLine(file, position);
  const record = last === undefined ? undefined : decodeRecord(last);
  if (record?.is === "completing") reports.push(record.report);
  return { opened, hasParts, reports, isAbandoned };
}

interface Line {
  readonly line: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

async function* linesOf(file: FileHandle): AsyncGenerator<Line, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for (let position = 0; ; ) {
    const chunk = await readAt(file, position, CHUNK_BYTES);
    if (chunk.length === 0) return;
    const start = position - rest.length;
    position += chunk.length;
    const bytes = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      yield { line: bytes.subarray(from, at), end: start + at + 1 };
      from = at + 1;
    }
    rest = bytes.subarray(from);
  }
}

/** The file's last whole line, if it begins at `from` or later. */
async function lastLine(file: FileHandle, from: number): Promise<Buffer | undefined> {
  const { size } = await file.stat();
  for (let bytes = CHUNK_BYTES; ; bytes *= 2) {
    const start = Math.max(from, size - bytes);
    const tail = await readAt(file, start, size - start);
    if (tail.at(-1) !== NEWLINE) return undefined;
    const before = tail.length < 2 ? -1 : tail.lastIndexOf(NEWLINE, tail.length - 2);
    if (before !== -1 || start === from) return tail.subarray(before + 1, -1);
  }
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(bytes), 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}
