// What a dump would do to a database, found out before it does: which tables and views it brings, whether it is whole,
// and whether it would go to another database than the one it is meant for.

import type { DumpLine } from "./dump-lines.ts";
import { createStatementReader } from "./dump-statements.ts";
import type { DatabaseObject } from "./restore-journal.ts";

export interface DumpContents {
  readonly tables: ReadonlySet<string>;
  readonly views: ReadonlySet<string>;
  readonly routines: readonly DatabaseObject[];
  /** That it makes or switches to by itself: none in a dump of one database. */
  readonly databases: ReadonlySet<string>;
  /** False only for a dump that says what made it and then lacks the end that its maker writes. */
  readonly isWhole: boolean;
}

export interface DumpScan {
  see(line: DumpLine): void;
  contents(): DumpContents;
}

const MADE_BY = /^-- (?:MySQL|MariaDB) dump /;
const COMPLETED = /^-- Dump completed/;

export function scanDump(): DumpScan {
  const tables = new Set<string>();
  const views = new Set<string>();
  const databases = new Set<string>();
  const routines: DatabaseObject[] = [];
  const statements = createStatementReader();
  let saysMaker = false;
  let isCompleted = false;
  return {
    see(line) {
      if (MADE_BY.test(line.head)) saysMaker = true;
      if (line.head !== "") isCompleted = COMPLETED.test(line.head);
      const seen = statements.see(line);
      if (seen?.isStart !== true) return;
      const { statement } = seen;
      switch (statement.kind) {
        case "create-table":
          tables.add(statement.subject);
          break;
        case "create-view":
          views.add(statement.subject);
          break;
        case "database":
          databases.add(statement.name);
          break;
        case "procedure":
        case "function":
        case "event":
          routines.push({ kind: statement.kind, name: statement.name });
          break;
        case "about":
        case "other":
          break;
      }
    },
    contents: () => ({ tables, views, routines, databases, isWhole: isCompleted || !saysMaker }),
  };
}
