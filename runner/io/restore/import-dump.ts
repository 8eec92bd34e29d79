// Loads a dump into a site's database by the stock client, in one session and with the site's own login: so a hostile
// dump can do no more than the site itself could. As little may it do on this machine, where the client is root's:
// it takes no commands (--binary-mode) and reads no files (--local-infile).
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { BackupError } from "#shared/errors.ts";
import { mapDumpLines } from "../../plan/restore/dump-lines.ts";
import { dropStatements, type ImportPlan, importFilter } from "../../plan/restore/import-plan.ts";
import { type DumpContents, scanDump } from "../../plan/restore/scan-dump.ts";
import { startClient } from "../client-process.ts";
import { findClientProgram } from "../mysql-client.ts";
import type { SiteDatabase } from "../site.ts";

/** A dump that can be read more than once. */
export interface DumpSource {
  bytes(): AsyncIterable<Uint8Array>;
}

/**
 * The lock is the session's: after a kill -9 of ours, the client that it left behind may still be at a statement, and
 * nobody else begins before that has ended. Without it a scalar of several rows is an error, which ends the import.
 * The rest is what stock dumps set by themselves, and those of other tools may not.
 */
const SESSION = `
SELECT IF(GET_LOCK(CONCAT('backupd ', MD5(DATABASE())), 600), 'locked', (SELECT 1 UNION SELECT 2));
SET NAMES utf8mb4;
SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
`;
const END_MARK = "backupd has sent everything";
/** Something unfinished at the dump's end (a quote, a comment) would swallow it. */
const EPILOGUE = `\n;\nSELECT '${END_MARK}';\n`;

const RIGHTS_HINT = "GRANT ALL PRIVILEGES on the site's database to the user named in wp-config.php.";

/** @throws what reading throws; BackupError `dump_unusable` for a dump that is cut or is of several databases. */
export async function scanDumpSource(source: DumpSource, signal: AbortSignal): Promise<DumpContents> {
  const scan = scanDump();
  const lines = mapDumpLines(source.bytes(), (line) => {
    scan.see(line);
    return false;
  });
  for await (const _ of lines) signal.throwIfAborted();
  signal.throwIfAborted();
  const contents = scan.contents();
  if (!contents.isWhole) {
    throw new BackupError("dump_unusable", {
      detail: 'It does not end with "-- Dump completed": it was cut',
    });
  }
  if (contents.databases.size > 1) {
    const names = [...contents.databases].join(", ");
    throw new BackupError("dump_unusable", { detail: `It holds several databases: ${names}` });
  }
  return contents;
}

export interface ImportOptions {
  readonly plan: ImportPlan;
  readonly currentUser: string;
  readonly signal: AbortSignal;
  /** Bytes of the dump sent so far. */
  readonly onBytes?: (total: number) => void;
}

/** Makes the database what the dump and the plan say. @throws BackupError `import_failed`, `db_*`; the signal's reason. */
export async function importDump(
  db: SiteDatabase,
  source: DumpSource,
  options: ImportOptions,
): Promise<void> {
  try {
    await sendDump(db, source, options);
  } catch (error) {
    throw error instanceof BackupError && error.code === "db_privilege_missing"
      ? new BackupError("import_failed", { detail: error.message, hint: RIGHTS_HINT, cause: error })
      : error;
  }
}

async function sendDump(db: SiteDatabase, source: DumpSource, options: ImportOptions): Promise<void> {
  const { plan, signal } = options;
  await using client = startClient(findClientProgram(), clientArgs(db), db, signal, {
    input: true,
    failure: "import_failed",
  });
  const said = text(client.stdout);
  said.catch(() => undefined); // Awaited below, if it comes to that.
  let failure: Error | undefined;
  async function* input(): AsyncGenerator<Uint8Array | string, void, undefined> {
    yield SESSION + dropStatements(plan.dropped);
    let total = 0;
    try {
      for await (const piece of mapDumpLines(source.bytes(), importFilter(plan, options.currentUser))) {
        signal.throwIfAborted();
        yield piece;
        total += piece.length;
        options.onBytes?.(total);
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
    yield EPILOGUE;
  }
  // A pipe that breaks says only that the client has ended; the client says why.
  await pipeline(input, client.stdin).catch(() => undefined);
  if (failure !== undefined) throw failure;
  await client.ended();
  if (!(await said).includes(END_MARK)) {
    throw new BackupError("import_failed", { detail: "The dump's last statement is not finished" });
  }
}

function clientArgs(db: SiteDatabase): string[] {
  return [
    "--batch",
    "--skip-column-names",
    "--binary-mode",
    "--local-infile=0",
    "--connect-timeout=10",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
    "--",
    db.name,
  ];
}
