// What the import of a dump makes of a database: the tables and views that it replaces, those that go away because
// they were not there then, and the lines of the dump that are let through, so that other sites' tables stay alone.
import type { DumpLine, LineVerdict } from "./dump-lines.ts";
import { createStatementReader, type DumpStatement } from "./dump-statements.ts";
import type { DatabaseObject } from "./restore-journal.ts";
import type { DumpContents } from "./scan-dump.ts";
import { tableOwnerOf } from "./table-owner.ts";

export interface ImportPlan {
  /** Tables and views of the dump that come into the database. */
  readonly imported: readonly DatabaseObject[];
  /** Of the database: taken away before the import, whether replaced or not. */
  readonly dropped: readonly DatabaseObject[];
  /** Of those, the ones that the dump does not have: lost, but for undo. */
  readonly removed: readonly DatabaseObject[];
  /** What the dump brings and the database did not have. */
  readonly made: readonly DatabaseObject[];
  /** Tables of the dump that belong to another site in the same database, and are left as they are. */
  readonly left: readonly string[];
  readonly isLeft: (table: string) => boolean;
}

export interface ImportInput {
  readonly dump: DumpContents;
  /** What is in the database now. */
  readonly existing: readonly DatabaseObject[];
  readonly tablePrefix: string | undefined;
}

export function planImport({ dump, existing, tablePrefix }: ImportInput): ImportPlan {
  const inDump = new Set([...dump.tables, ...dump.views]);
  const owner = tableOwnerOf(tablePrefix, [...inDump, ...existing.map(({ name }) => name)]);
  const isLeft = (table: string): boolean => owner(table) === "other-site";
  const isTable = ({ kind }: DatabaseObject): boolean => kind === "table" || kind === "view";
  const goes = (object: DatabaseObject): boolean =>
    isTable(object) && !isLeft(object.name) && (inDump.has(object.name) || owner(object.name) === "site");
  const imported: DatabaseObject[] = [
    ...[...dump.tables].map((name) => ({ kind: "table" as const, name })),
    ...[...dump.views].map((name) => ({ kind: "view" as const, name })),
  ].filter(({ name }) => !isLeft(name));
  const dropped = existing.filter(goes);
  const known = new Set(existing.map(({ kind, name }) => `${kind} ${name}`));
  return {
    imported,
    dropped,
    removed: dropped.filter(({ name }) => !inDump.has(name)),
    made: [...imported, ...dump.routines].filter(({ kind, name }) => !known.has(`${kind} ${name}`)),
    left: [...inDump].filter(isLeft),
    isLeft,
  };
}

/** `currentUser`: as the server says it, name@host. */
export function importFilter(plan: ImportPlan, currentUser: string): (line: DumpLine) => LineVerdict {
  const statements = createStatementReader();
  return (line) => {
    const seen = statements.see(line);
    if (seen === undefined) return true;
    const { statement } = seen;
    if (statement.kind === "database") return false;
    if (statement.subject !== undefined && plan.isLeft(statement.subject)) return false;
    return mayHaveDefiner(statement) ? withOwnDefiner(line.head, currentUser) : true;
  };
}

function mayHaveDefiner({ kind }: DumpStatement): boolean {
  return kind === "other" || kind === "procedure" || kind === "function" || kind === "event";
}

const DEFINER =
  /^((?:\/\*!\d+ )?(?:CREATE(?: OR REPLACE)?(?:\*\/ \/\*!\d+)? ?(?:ALGORITHM=\w+ )?)?)DEFINER=(`(?:[^`]|``)*`)@(`(?:[^`]|``)*`)/;

/**
 * Only a superuser may make things in somebody else's name, and on another node that somebody may not exist: what was
 * another account's becomes the importing one's.
 */
function withOwnDefiner(head: string, currentUser: string): LineVerdict {
  const found = DEFINER.exec(head);
  if (found === null) return true;
  const [whole, before = "", user = "", host = ""] = found;
  if (`${unquote(user)}@${unquote(host)}` === currentUser) return true;
  return `${before}DEFINER=CURRENT_USER${head.slice(whole.length)}`;
}

function unquote(name: string): string {
  return Buffer.from(name.slice(1, -1), "latin1").toString("utf8").replaceAll("``", "`");
}

const KEYWORDS: Readonly<Record<DatabaseObject["kind"], string>> = {
  table: "TABLE",
  view: "VIEW",
  procedure: "PROCEDURE",
  function: "FUNCTION",
  event: "EVENT",
};

/** One statement per line, each ended. */
export function dropStatements(objects: readonly DatabaseObject[]): string {
  return objects
    .map(({ kind, name }) => `DROP ${KEYWORDS[kind]} IF EXISTS \`${name.replaceAll("`", "``")}\`;\n`)
    .join("");
}
