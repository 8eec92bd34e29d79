// Asks a site's database, by the stock command-line client, what a dump of it needs to know beforehand.
import { text } from "node:stream/consumers";
import { BackupError } from "#shared/errors.ts";
import { startClient } from "./client-process.ts";
import { findProgram } from "./find-program.ts";
import type { SiteDatabase } from "./site.ts";

export type DbFlavour = "mariadb" | "mysql";

export interface DatabaseFacts {
  readonly flavour: DbFlavour;
  readonly version: string;
  /** The tables' data as the server estimates it; a dump is of that order. */
  readonly dataBytes: number;
  /** Tables that `--single-transaction` cannot hold still. */
  readonly nonTransactionalTables: readonly string[];
  /** What the user may not read, so that a dump has to do without. */
  readonly unreadable: { readonly events: boolean; readonly routines: boolean; readonly triggers: boolean };
}

const QUESTION_SECONDS = 30;

/** One row per fact, name and value; names of tables cannot hold a tab or newline in a way that --batch does not escape. */
const FACTS = `
SELECT 'version', VERSION();
SELECT 'bytes', COALESCE(SUM(data_length), 0) FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE';
SELECT 'table', t.table_name FROM information_schema.tables t
  LEFT JOIN information_schema.engines e ON e.engine = t.engine
  WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND COALESCE(e.transactions, 'NO') <> 'YES'
  ORDER BY t.table_name;
SELECT 'routine', COUNT(*) FROM information_schema.routines
  WHERE routine_schema = DATABASE() AND routine_definition IS NULL;
SELECT 'trigger', COUNT(*) FROM (
    SELECT grantee, privilege_type FROM information_schema.user_privileges
    UNION ALL SELECT grantee, privilege_type FROM information_schema.schema_privileges
      WHERE DATABASE() LIKE table_schema
    UNION ALL SELECT grantee, privilege_type FROM information_schema.table_privileges
      WHERE table_schema = DATABASE()) p
  WHERE privilege_type = 'TRIGGER'
    AND grantee = CONCAT("'", REPLACE(CURRENT_USER(), '@', "'@'"), "'");
`;

const END_OF_FACTS = "end-of-facts";
/** What a user without the right to them may not ask, so it comes last. Its own rows say nothing that is needed. */
const FACTS_AND_EVENTS = `${FACTS} SELECT '${END_OF_FACTS}'; SHOW EVENTS;`;

/** @throws BackupError `db_unreachable`, `db_access_denied`, `db_missing`, `dump_program_missing`. */
export async function probeDatabase(
  db: SiteDatabase,
  options: { readonly signal: AbortSignal },
): Promise<DatabaseFacts> {
  const { answer, events } = await askForFacts(db, options.signal);
  const [facts = ""] = answer.split(`\n${END_OF_FACTS}\n`);
  const rows = facts.split("\n").map((line) => line.split("\t"));
  const valuesOf = (name: string): string[] =>
    rows.filter(([key]) => key === name).map(([, value]) => value ?? "");
  const version = valuesOf("version")[0] ?? "";
  return {
    flavour: /mariadb/i.test(version) ? "mariadb" : "mysql",
    version,
    dataBytes: Number(valuesOf("bytes")[0] ?? 0),
    nonTransactionalTables: valuesOf("table"),
    unreadable: {
      events: !events,
      routines: Number(valuesOf("routine")[0] ?? 0) > 0,
      triggers: Number(valuesOf("trigger")[0] ?? 0) === 0,
    },
  };
}

/** In one login where it is allowed, as nearly everywhere; a client's start is a good part of a small backup. */
async function askForFacts(
  db: SiteDatabase,
  signal: AbortSignal,
): Promise<{ readonly answer: string; readonly events: boolean }> {
  try {
    return { answer: await askDatabase(db, FACTS_AND_EVENTS, signal), events: true };
  } catch (error) {
    if (!(error instanceof BackupError && error.code === "db_privilege_missing")) throw error;
    return { answer: await askDatabase(db, FACTS, signal), events: false };
  }
}

export function findClientProgram(): string {
  const program = findProgram(["mariadb", "mysql"]);
  if (program !== undefined) return program;
  throw new BackupError("dump_program_missing", { detail: "Neither mariadb nor mysql is installed" });
}

/** Rows as --batch writes them. `sql` is on the command line: nothing secret, and not long. */
export async function askDatabase(db: SiteDatabase, sql: string, signal: AbortSignal): Promise<string> {
  const program = findClientProgram();
  const deadline = AbortSignal.timeout(QUESTION_SECONDS * 1000);
  const args = ["--batch", "--skip-column-names", "--connect-timeout=10", "--execute", sql, "--", db.name];
  await using client = startClient(program, args, db, AbortSignal.any([signal, deadline]));
  try {
    const [answer] = await Promise.all([text(client.stdout), client.ended()]);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
    throw new BackupError("db_unreachable", {
      detail: `No answer within ${QUESTION_SECONDS} s`,
      cause: error,
    });
  }
}
