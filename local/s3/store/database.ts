// The metadata of the object store: SQLite in WAL mode, because an object's headers, segments and the fate of
// what it replaces must change in one step that survives kill -9 and power loss. Synchronous FULL makes an
// answered request durable; the exclusive lock keeps a second server (whose start-up sweep would delete our
// uploads in flight) off the same directory, and the kernel drops it with the process.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

const SCHEMA_VERSION = 1;

// Keys are blobs: they are opaque bytes, and memcmp is the order S3 lists in. A content is an immutable list of
// segments owned by exactly one object or part. A part file lives as long as a segment names it; the count is
// never stored, so it cannot drift.
const SCHEMA = `
CREATE TABLE buckets (name TEXT PRIMARY KEY, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE part_files (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, crc_algorithm TEXT, crc TEXT) STRICT;
CREATE TABLE contents (content_id INTEGER PRIMARY KEY AUTOINCREMENT, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE segments (
  content_id INTEGER NOT NULL REFERENCES contents ON DELETE CASCADE,
  start_bytes INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  part_file TEXT NOT NULL REFERENCES part_files,
  offset_bytes INTEGER NOT NULL,
  PRIMARY KEY (content_id, start_bytes)
) STRICT, WITHOUT ROWID;
CREATE INDEX segments_by_part_file ON segments (part_file);
CREATE TABLE objects (
  bucket TEXT NOT NULL REFERENCES buckets,
  key BLOB NOT NULL,
  content_id INTEGER NOT NULL REFERENCES contents,
  etag TEXT NOT NULL,
  modified_ms INTEGER NOT NULL,
  headers TEXT NOT NULL,
  checksum TEXT,
  upload_id TEXT,
  PRIMARY KEY (bucket, key)
) STRICT;
CREATE TABLE uploads (
  upload_id TEXT PRIMARY KEY,
  bucket TEXT NOT NULL REFERENCES buckets,
  key BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  headers TEXT NOT NULL,
  checksum_algorithm TEXT,
  checksum_type TEXT
) STRICT;
CREATE INDEX uploads_by_key ON uploads (bucket, key, upload_id);
CREATE TABLE parts (
  upload_id TEXT NOT NULL REFERENCES uploads,
  number INTEGER NOT NULL,
  content_id INTEGER NOT NULL REFERENCES contents,
  etag TEXT NOT NULL,
  modified_ms INTEGER NOT NULL,
  checksum TEXT,
  PRIMARY KEY (upload_id, number)
) STRICT;
`;

export class Database {
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, "metadata.sqlite");
    this.#sqlite = new DatabaseSync(path);
    try {
      chmodSync(path, 0o600);
      this.#sqlite.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
      );
      this.#sqlite.exec("PRAGMA foreign_keys = ON");
      this.#migrate();
    } catch (error) {
      this.#sqlite.close();
      throw new Error(`cannot open the object store in ${dataDir} (is another server using it?)`, {
        cause: error,
      });
    }
  }

  #migrate(): void {
    const version = this.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
    if (version === SCHEMA_VERSION) return;
    if (version !== 0) throw new Error(`object store schema ${version} is not ${SCHEMA_VERSION}`);
    this.transaction(() => this.#sqlite.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}`));
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid);
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** All of `change` or none of it; synchronous, so no other request sees a half. */
  transaction<T>(change: () => T): T {
    this.#sqlite.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.#sqlite.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#sqlite.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
