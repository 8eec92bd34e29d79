// The first line of an index: how much follows, and where the database is, so that restoring only the database needs
// no entry line at all. Checked by hand, as the other lines: the packing thread would load zod for this one line.
import { corrupt } from "./corrupt.ts";
import { FORMAT_VERSION } from "./trailer.ts";

export interface IndexHeader {
  readonly format: "backupd";
  readonly version: typeof FORMAT_VERSION;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly tool: string;
  readonly node_id: string;
  readonly site_id: string;
  /** Length of the tar, its end included. */
  readonly tar_bytes: number;
  /** Where the tar's end-of-archive blocks start: the end of the last entry. */
  readonly entries_end: number;
  readonly frames: number;
  readonly entries: number;
  readonly database: IndexedDatabase | null;
}

/** The dump: its entry's name and place in the tar (headers and padding included), its length and hash. */
export interface IndexedDatabase {
  readonly name: string;
  readonly tar_offset: number;
  readonly tar_bytes: number;
  readonly bytes: number;
  readonly sha256: string;
}

type Check = (value: unknown) => boolean;

const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const isText =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === "string" && value.length >= min && value.length <= max;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isBlocks: Check = (value) => isCount(value) && (value as number) % 512 === 0;
const isUuid = matches(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const isTime: Check = (value) =>
  matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z$/)(value) &&
  !Number.isNaN(Date.parse(value as string));

const DATABASE: Readonly<Record<keyof IndexedDatabase, Check>> = {
  name: isText(1, 255),
  tar_offset: isBlocks,
  tar_bytes: isBlocks,
  bytes: isCount,
  sha256: matches(/^[0-9a-f]{64}$/),
};
const HEADER: Readonly<Record<keyof IndexHeader, Check>> = {
  format: (value) => value === "backupd",
  version: (value) => value === FORMAT_VERSION,
  created_at: isTime,
  tool: isText(0, 200),
  node_id: isUuid,
  site_id: isUuid,
  tar_bytes: isCount,
  entries_end: isBlocks,
  frames: isCount,
  entries: isCount,
  database: (value) => value === null || isRecord(value),
};

const END_OF_ARCHIVE_BYTES = 1024;

/** The line without its newline. @throws RangeError for what is no header. */
export function encodeHeader(header: IndexHeader): string {
  const wrong = wrongParts(header);
  if (wrong !== undefined) throw new RangeError(`not a header of an index: ${wrong}`);
  return JSON.stringify(known(header));
}

/** `line` is the parsed first line. */
export function decodeHeader(line: unknown): IndexHeader {
  const wrong = wrongParts(line);
  if (wrong !== undefined) throw corrupt(`The index's header line is not valid (${wrong})`);
  const header = known(line as IndexHeader);
  if (header.entries_end + END_OF_ARCHIVE_BYTES > header.tar_bytes) {
    throw corrupt("The index leaves no room for the tar's end");
  }
  const database = header.database;
  if (database !== null && database.tar_offset + database.tar_bytes > header.entries_end) {
    throw corrupt("The index places the database outside the tar");
  }
  return header;
}

/** Their names; undefined if it is a header. */
function wrongParts(value: unknown): string | undefined {
  if (!isRecord(value)) return "no object";
  const { database } = value;
  const wrong = wrongKeys(HEADER, value);
  if (isRecord(database)) wrong.push(...wrongKeys(DATABASE, database).map((key) => `database.${key}`));
  return wrong.length > 0 ? wrong.join(", ") : undefined;
}

/** Without unknown keys: later writers of version 1 may add some. */
function known(header: IndexHeader): IndexHeader {
  const { database } = header;
  return { ...pick(HEADER, header), database: database === null ? null : pick(DATABASE, database) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrongKeys(
  checks: Readonly<Record<string, Check>>,
  value: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(checks)
    .filter(([key, isGood]) => !isGood(value[key]))
    .map(([key]) => key);
}

function pick<T extends object>(checks: Readonly<Record<keyof T, Check>>, value: T): T {
  const keys = Object.keys(checks) as (keyof T)[];
  return Object.fromEntries(keys.map((key) => [key, value[key]])) as T;
}
