// Knows which statement of a dump a line begins, and what that statement is about: as mariadb-dump and mysqldump write
// them, each statement on a line of its own, ended by the delimiter at a line's end.
import { toBytes } from "../byte-string.ts";
import type { DumpLine } from "./dump-lines.ts";

/** `subject`: the table or view that the statement is about, also for rows and triggers. */
export type DumpStatement =
  | { readonly kind: "create-table"; readonly subject: string }
  | { readonly kind: "create-view"; readonly subject: string }
  | { readonly kind: "about"; readonly subject: string }
  | { readonly kind: "procedure" | "function" | "event"; readonly subject: undefined; readonly name: string }
  | { readonly kind: "database"; readonly subject: undefined; readonly name: string }
  | { readonly kind: "other"; readonly subject: string | undefined };

export interface StatementReader {
  /** The statement that the line is in; `isStart` if it begins there. Undefined between statements. */
  see(line: DumpLine): { readonly statement: DumpStatement; readonly isStart: boolean } | undefined;
}

const NAME = "`((?:[^`]|``)+)`";
const COMMENT = String.raw`(?:/\*[!M]+\d+ )?`;
const TABLE = new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${NAME}`);
const VIEW = new RegExp(`^${COMMENT}CREATE (?:VIEW|TABLE) ${NAME}`);
const ABOUT = new RegExp(
  `^${COMMENT}(?:INSERT (?:IGNORE )?INTO|INSERT  ?IGNORE INTO|REPLACE INTO|DROP TABLE IF EXISTS|DROP TABLE|DROP VIEW IF EXISTS|LOCK TABLES|ALTER TABLE) ${NAME}`,
);
const ROUTINE = new RegExp(`^${COMMENT}DROP (PROCEDURE|FUNCTION|EVENT) IF EXISTS ${NAME}`);
const DATABASE = new RegExp(
  `^(?:USE|CREATE DATABASE(?: /\\*!\\d+ IF NOT EXISTS\\*/)?(?: IF NOT EXISTS)?) ${NAME}`,
);
/** What follows a view's DROP, or a table's rows, and does not begin with its name. */
const OF_SECTION = /^\/\*!\d+ CREATE(?:\*\/| ALGORITHM)/;
/** The last is MariaDB's sandbox mark, which no delimiter ends. */
const NO_STATEMENT = /^(?:--|#|\/\*M?!999999\\-)/;
const DELIMITER = /^DELIMITER (\S+)/;

export function createStatementReader(): StatementReader {
  let delimiter = ";";
  let current: DumpStatement | undefined;
  let section: string | undefined;
  return {
    see({ head, endBefore }) {
      if (current !== undefined && !endBefore.endsWith(delimiter))
        return { statement: current, isStart: false };
      current = undefined;
      const changed = DELIMITER.exec(head)?.[1];
      if (changed !== undefined) delimiter = changed;
      if (changed !== undefined || head.trim() === "" || NO_STATEMENT.test(head)) return undefined;
      current = statementAt(head, section);
      // What follows a routine's or an event's DROP is no table's any more.
      if (current.subject !== undefined || "name" in current) section = current.subject;
      return { statement: current, isStart: true };
    },
  };
}

function statementAt(head: string, section: string | undefined): DumpStatement {
  const table = TABLE.exec(head);
  if (table !== null) return { kind: "create-table", subject: nameOf(table[1]) };
  const view = VIEW.exec(head);
  if (view !== null) return { kind: "create-view", subject: nameOf(view[1]) };
  const about = ABOUT.exec(head);
  if (about !== null) return { kind: "about", subject: nameOf(about[1]) };
  const routine = ROUTINE.exec(head);
  if (routine !== null) {
    const kind = routine[1]?.toLowerCase() as "procedure" | "function" | "event";
    return { kind, subject: undefined, name: nameOf(routine[2]) };
  }
  const database = DATABASE.exec(head);
  if (database !== null) return { kind: "database", subject: undefined, name: nameOf(database[1]) };
  return { kind: "other", subject: OF_SECTION.test(head) ? section : undefined };
}

function nameOf(quoted: string | undefined): string {
  return toBytes(quoted ?? "")
    .toString("utf8")
    .replaceAll("``", "`");
}
