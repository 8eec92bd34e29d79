// A conversation with a database in one session of the stock client: a question, its rows, the next question.
import { createInterface } from "node:readline";
import { startClient } from "../client-process.ts";
import { findClientProgram } from "../mysql-client.ts";
import type { SiteDatabase } from "../site.ts";

export interface SqlSession extends AsyncDisposable {
  /** One or more statements, each ended; ask for text as HEX(…). @throws BackupError; the session is then over. */
  rows(sql: string): Promise<string[][]>;
}

const END_OF_ROWS = "backupd: end of rows";

export function openSqlSession(db: SiteDatabase, signal: AbortSignal): SqlSession {
  const args = [
    "--batch",
    "--unbuffered",
    "--skip-column-names",
    "--binary-mode",
    "--local-infile=0",
    "--connect-timeout=10",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
    "--",
    db.name,
  ];
  const client = startClient(findClientProgram(), args, db, signal, {
    input: true,
    failure: "import_failed",
  });
  const lines = createInterface({ input: client.stdout, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]();
  return {
    async rows(sql) {
      client.stdin.write(`${sql}\nSELECT '${END_OF_ROWS}';\n`);
      const rows: string[][] = [];
      for (;;) {
        const next = await lines.next();
        if (next.done === true) {
          await client.ended();
          throw signal.reason;
        }
        if (next.value === END_OF_ROWS) return rows;
        rows.push(next.value.split("\t"));
      }
    },
    [Symbol.asyncDispose]: async () => {
      client.stdin.end();
      await client[Symbol.asyncDispose]();
    },
  };
}
