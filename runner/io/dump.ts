// Dumps a site's database into compressed frames on local disk, so that a slow upload never holds the database's
// snapshot open and the dump's size is known before its tar header is written.
import { execFile } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import { promisify } from "node:util";
import { BackupError } from "#shared/errors.ts";
import { DUMP_COMPLETED, DUMP_END_BYTES, dumpOptions, hasSnapshot } from "../plan/dump-options.ts";
import { startClient } from "./client-process.ts";
import { compressFrames } from "./compress.ts";
import { cutFrames } from "./cut-frames.ts";
import { CLIENT_ENVIRONMENT } from "./db-login.ts";
import { findProgram } from "./find-program.ts";
import type { DatabaseFacts } from "./mysql-client.ts";
import type { SiteDatabase } from "./site.ts";
import { openSpool, type Spool } from "./spool.ts";

export interface Dump extends AsyncDisposable {
  /** Of the plain dump. */
  readonly bytes: number;
  readonly sha256: string;
  readonly compressedBytes: number;
  /** Read back from the spool one at a time; may be called again. */
  frames(): AsyncIterable<DumpFrame>;
}

export interface DumpFrame {
  /** One whole zstd frame, in memory of its own. */
  readonly bytes: Buffer;
  readonly rawBytes: number;
}

export interface DumpOptions {
  readonly facts: DatabaseFacts;
  /** A directory only we can read. */
  readonly spoolDir: string;
  readonly frameBytes: number;
  readonly signal: AbortSignal;
  /** Plain bytes dumped so far. */
  readonly onBytes?: (total: number) => void;
  /**
   * Called once, when what is dumped is fixed and transactions from then on are not in it. Never, if some tables are not
   * transactional: their rows come later, as do the files that they name.
   */
  readonly onSnapshot?: () => void;
  /** The program's process id, once it runs. */
  readonly onStart?: (pid: number) => void;
}

interface SpooledFrame {
  readonly offset: number;
  readonly bytes: number;
  readonly rawBytes: number;
}

const CONCURRENCY = 2;
const MARIADB_DUMP = "mariadb-dump";

/** @throws BackupError `db_*`, `dump_failed`, `dump_program_missing`, `disk_full`; the signal's reason. */
export async function dumpDatabase(db: SiteDatabase, options: DumpOptions): Promise<Dump> {
  const program = findDumpProgram(options.facts);
  // That name says it all; the other is what both call theirs.
  const programVersion =
    basename(program) === MARIADB_DUMP ? MARIADB_DUMP : await versionOf(program, options.signal);
  const args = dumpOptions({ databaseName: db.name, programVersion, skip: options.facts.unreadable });
  const spool = await openSpool(options.spoolDir);
  try {
    return await runDump(program, args, db, spool, options);
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
}

function findDumpProgram(facts: DatabaseFacts): string {
  const names = [MARIADB_DUMP, "mysqldump"];
  const program = findProgram(facts.flavour === "mariadb" ? names : names.toReversed());
  if (program === undefined) throw new BackupError("dump_program_missing");
  return program;
}

async function versionOf(program: string, signal: AbortSignal): Promise<string> {
  const args = ["--no-defaults", "--version"];
  try {
    const { stdout } = await promisify(execFile)(program, args, { signal, env: CLIENT_ENVIRONMENT });
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    throw new BackupError("dump_program_missing", { detail: `${program} does not run`, cause: error });
  }
}

async function runDump(
  program: string,
  args: readonly string[],
  db: SiteDatabase,
  spool: Spool,
  options: DumpOptions,
): Promise<Dump> {
  await using client = startClient(program, args, db, options.signal);
  options.onStart?.(client.pid);
  const plain = watchPlain(options);
  const spooled: SpooledFrame[] = [];
  let offset = 0;
  const plainFrames = cutFrames(client.stdout, options.frameBytes, (chunk) => plain.see(chunk));
  try {
    for await (const frame of compressFrames(plainFrames, { concurrency: CONCURRENCY })) {
      for (const piece of frame.pieces) await spool.append(piece);
      spooled.push({ offset, bytes: frame.bytes, rawBytes: frame.rawBytes });
      offset += frame.bytes;
      frame.release();
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  }
  await client.ended();
  if (!DUMP_COMPLETED.test(plain.tail())) {
    throw new BackupError("dump_failed", { detail: 'The dump does not end with "-- Dump completed"' });
  }
  return {
    bytes: plain.total(),
    sha256: plain.hash.digest("hex"),
    compressedBytes: offset,
    frames: () => readSpooled(spool, spooled),
    [Symbol.asyncDispose]: async () => await spool[Symbol.asyncDispose](),
  };
}

async function* readSpooled(
  spool: Spool,
  frames: readonly SpooledFrame[],
): AsyncGenerator<DumpFrame, void, undefined> {
  for (const frame of frames) {
    yield { bytes: await spool.read(frame.offset, frame.bytes), rawBytes: frame.rawBytes };
  }
}

interface PlainWatch {
  readonly hash: Hash;
  see(chunk: Uint8Array): void;
  total(): number;
  tail(): string;
}

/** Counts, hashes, and keeps the end of what passes by. */
function watchPlain({ facts, onBytes, onSnapshot }: DumpOptions): PlainWatch {
  const hash = createHash("sha256");
  let total = 0;
  let tail: Buffer = Buffer.alloc(0);
  let awaitsSnapshot = facts.nonTransactionalTables.length === 0;
  return {
    hash,
    see(chunk) {
      if (awaitsSnapshot && hasSnapshot(Buffer.concat([tail, chunk]).toString("latin1"))) {
        awaitsSnapshot = false;
        onSnapshot?.();
      }
      hash.update(chunk);
      total += chunk.length;
      tail = Buffer.concat([tail, chunk.subarray(-DUMP_END_BYTES)]).subarray(-DUMP_END_BYTES);
      onBytes?.(total);
    },
    total: () => total,
    tail: () => tail.toString("latin1"),
  };
}
