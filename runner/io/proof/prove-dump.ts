// The proof of a dump: a server that has nothing else imports it, and is asked for its dump again. Whatever the dump did
// not bring back shows as a difference with a name.
import { join } from "node:path";
import { decompress } from "@mongodb-js/zstd";
import type { Finding } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import type { BootOutcome } from "../../plan/proof/boot-outcome.ts";
import { compareDumps, release } from "../../plan/restore/compare-dumps.ts";
import type { DumpFingerprint } from "../../plan/restore/dump-fingerprint.ts";
import { freeBytes } from "../disk.ts";
import { type Dump, dumpDatabase } from "../dump.ts";
import { askDatabase, probeDatabase } from "../mysql-client.ts";
import { readDatabaseState } from "../restore/database-objects.ts";
import type { DumpSource } from "../restore/import-dump.ts";
import { prepareImport } from "../restore/restore-database.ts";
import { openSqlSession } from "../restore/sql-session.ts";
import type { SiteDatabase } from "../site.ts";
import { startProofServer } from "./proof-server.ts";
import { readDump } from "./read-dump.ts";

export interface ProveDumpOptions {
  readonly fingerprint: DumpFingerprint;
  /** Exists, is ours alone and empty. */
  readonly dir: string;
  readonly signal: AbortSignal;
  readonly monotonicMs: () => number;
  readonly enter: (stage: "import" | "compare" | "boot") => void;
  /** Last, since the site may change its database. */
  readonly boot?: (db: SiteDatabase, socketFile: string) => Promise<BootOutcome>;
  readonly onBytes?: (total: number) => void;
}

export interface ProvedDump {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly importSeconds: number;
  readonly tables: number;
  readonly rows: number;
  readonly boot?: BootOutcome;
}

const NOTHING = { warnings: [], importSeconds: 0, tables: 0, rows: 0 };
const FRAME_BYTES = 4 * 1024 * 1024;
/** With less room than this, a failed import is the disk's fault. */
const TIGHT_BYTES = 64 * 1024 * 1024;
const TABLES_AT_ONCE = 100;
const TAKEN_NAMES = /^(?:mysql|sys|information_schema|performance_schema|)$/i;

/** @throws BackupError `proof_*`, `db_*`, `disk_full`; the signal's reason. What is wrong with the dump is no error. */
export async function proveDump(source: DumpSource, options: ProveDumpOptions): Promise<ProvedDump> {
  const { dir, signal, monotonicMs, fingerprint } = options;
  options.enter("import");
  await using server = await startProofServer(join(dir, "server"), signal);
  // The same name, since views and routines may say it.
  const { databaseName = "" } = fingerprint;
  const db = await server.makeDatabase(TAKEN_NAMES.test(databaseName) ? "site" : databaseName);
  const startedMs = monotonicMs();
  const refused = await importInto(db, source, options);
  if (refused !== undefined) return { ...NOTHING, findings: [refused] };
  const importSeconds = (monotonicMs() - startedMs) / 1000;
  options.enter("compare");
  const counted = await countRows(db, signal);
  const { faults, notes } = await compareAgain(db, options);
  const compared = {
    findings: faults.map((message) => ({ code: "dump_differs", message: message.slice(0, 2000) })),
    warnings: notes.map((message) => ({ code: "dump_differs", message: message.slice(0, 2000) })),
    importSeconds,
    ...counted,
  };
  if (options.boot === undefined || faults.length > 0) return compared;
  options.enter("boot");
  return { ...compared, boot: await options.boot(db, server.socketFile) };
}

/** Why the server does not take the dump. */
async function importInto(
  db: SiteDatabase,
  source: DumpSource,
  { dir, signal, onBytes, fingerprint }: ProveDumpOptions,
): Promise<Finding | undefined> {
  try {
    const prepared = await prepareImport({ db }, source, { signal });
    await prepared.load({ signal, ...(onBytes === undefined ? {} : { onBytes }) });
    return undefined;
  } catch (error) {
    const isOfDump = error instanceof BackupError && /^(?:import_failed|dump_unusable)$/.test(error.code);
    if (!isOfDump) throw error;
    const free = await freeBytes(dir);
    if (free < TIGHT_BYTES) throw new BackupError("disk_full", { detail: error.message, cause: error });
    await checkKind(db, fingerprint.maker.server, error, signal);
    return { code: error.code, message: error.message.slice(0, 2000) };
  }
}

/** That a server refuses what another kind of server has written says nothing about the backup. */
async function checkKind(
  db: SiteDatabase,
  madeBy: string,
  refusal: BackupError,
  signal: AbortSignal,
): Promise<void> {
  const version = (await askDatabase(db, "SELECT VERSION()", signal)).trim();
  if (madeBy === "" || release(madeBy) === release(version)) return;
  const detail = `The dump is of ${madeBy}, this server is ${version}: ${refusal.message}`;
  throw new BackupError("proof_other_server", { detail, cause: refusal });
}

async function countRows(db: SiteDatabase, signal: AbortSignal): Promise<{ tables: number; rows: number }> {
  const { objects } = await readDatabaseState(db, signal);
  const tables = objects.filter(({ kind }) => kind === "table").map(({ name }) => name);
  await using session = openSqlSession(db, signal);
  let rows = 0;
  for (let at = 0; at < tables.length; at += TABLES_AT_ONCE) {
    const asked = tables.slice(at, at + TABLES_AT_ONCE);
    const sql = asked.map((name) => `SELECT COUNT(*) FROM \`${name.replaceAll("`", "``")}\`;`).join("\n");
    for (const [count] of await session.rows(sql)) rows += Number(count);
  }
  return { tables: tables.length, rows };
}

async function compareAgain(
  db: SiteDatabase,
  { dir, signal, fingerprint }: ProveDumpOptions,
): Promise<ReturnType<typeof compareDumps>> {
  const facts = await probeDatabase(db, { signal });
  await using dump = await dumpDatabase(db, { facts, spoolDir: dir, frameBytes: FRAME_BYTES, signal });
  const again = await readDump({ bytes: () => plainBytes(dump) }, signal);
  return compareDumps(fingerprint, again.fingerprint);
}

async function* plainBytes(dump: Dump): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { bytes } of dump.frames()) yield await decompress(bytes);
}
