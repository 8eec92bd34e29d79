// What a dump says, thing by thing, as hashes: so that the dump of an imported dump can be held against it, and what
// differs has a name. Left out is what says nothing of the content: comments, locks, who made it and under which account.
import { createHash, type Hash } from "node:crypto";
import { toBytes } from "../byte-string.ts";
import { createStatementReader, type DumpStatement } from "./dump-statements.ts";

export interface DumpFingerprint {
  /** The thing (`the rows of wp_posts`) and the SHA-256 of all that the dump says of it. */
  readonly things: ReadonlyMap<string, string>;
  /** Of its first lines: the program with its version, and the server's; empty if it does not say. */
  readonly maker: DumpMaker;
  /** The database's name in its first lines. */
  readonly databaseName: string | undefined;
}

export interface DumpMaker {
  readonly program: string;
  readonly server: string;
}

export interface Fingerprinter {
  write(chunk: Uint8Array): void;
  end(): DumpFingerprint;
}

/** Of a line; the statement that it begins shows in it. */
const HEAD_BYTES = 1024;
const LINE_FEED = 10;

const PROGRAM = /^-- ((?:MySQL|MariaDB) dump .*)$/;
const SERVER = /^-- Server version\s+(\S+)/;
const DATABASE = /^-- Host: .*?\s{2,}Database: (.+)$/;

const SET = /^(?:\/\*[!M]+\d+ )?SET /;
/** Under which rules a trigger or a routine was written. */
const SET_OF_CODE = /^\/\*!\d+ SET sql_mode\s+=/;
const NO_CONTENT =
  /^(?:\/\*[!M]+\d+ )?(?:DROP |LOCK TABLES|UNLOCK TABLES|ALTER TABLE .* (?:DISABLE|ENABLE) KEYS|COMMIT)/;
const ROWS = /^(?:INSERT|REPLACE)\b/;
const DEFINER = /DEFINER=(?:`(?:[^`]|``)*`@`(?:[^`]|``)*`|CURRENT_USER)/g;

export function fingerprintDump(): Fingerprinter {
  const hashes = new Map<string, Hash>();
  const statements = createStatementReader();
  const maker = { program: "", server: "" };
  let databaseName: string | undefined;
  /** The routine, event or table that code without a name of its own belongs to. */
  let about = "the database";
  /** What the line's rest goes to; null between lines, undefined if it says nothing. */
  let target: Hash | undefined | null = null;
  let current: Hash | undefined;
  let carried: Buffer = Buffer.alloc(0);
  let endBefore = "";

  const hashOf = (thing: string): Hash => {
    const hash = hashes.get(thing) ?? createHash("sha256");
    hashes.set(thing, hash);
    return hash;
  };

  function begin(head: string): Hash | undefined {
    const seen = statements.see({ head, endBefore });
    if (seen === undefined) {
      maker.program ||= PROGRAM.exec(head)?.[1] ?? "";
      maker.server ||= SERVER.exec(head)?.[1] ?? "";
      databaseName ??= decoded(DATABASE.exec(head)?.[1]);
      return undefined;
    }
    if (!seen.isStart) return current;
    about = subjectOf(seen.statement) ?? about;
    current = undefined;
    if (NO_CONTENT.test(head) || (SET.test(head) && !SET_OF_CODE.test(head))) return undefined;
    current = hashOf(ROWS.test(head) ? `the rows of ${about}` : `the definition of ${about}`);
    return current;
  }

  function take(line: Buffer, isBegin: boolean): void {
    if (isBegin) {
      const head = line.toString("latin1", 0, Math.min(line.length, HEAD_BYTES)).replace(/\r?\n$/, "");
      target = begin(head);
      if (target !== undefined && head.includes("DEFINER=")) {
        target.update(head.replace(DEFINER, "DEFINER"), "latin1").update(line.subarray(head.length));
        return;
      }
    }
    target?.update(line);
  }

  function pass(data: Buffer, isLast: boolean): void {
    let at = 0;
    while (at < data.length) {
      const lineFeed = data.indexOf(LINE_FEED, at);
      const end = lineFeed < 0 ? data.length : lineFeed + 1;
      const isBegin = target === null;
      if (isBegin && lineFeed < 0 && !isLast && end - at < HEAD_BYTES) break;
      take(data.subarray(at, end), isBegin);
      const text = data.toString("latin1", Math.max(at, end - 5), end);
      endBefore = ((isBegin ? "" : endBefore) + text).trimEnd().slice(-4);
      if (lineFeed >= 0) target = null;
      at = end;
    }
    carried = Buffer.from(data.subarray(at));
  }

  return {
    write(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      pass(carried.length === 0 ? bytes : Buffer.concat([carried, bytes]), false);
    },
    end() {
      pass(carried, true);
      const things = new Map([...hashes].map(([thing, hash]) => [thing, hash.digest("hex")]));
      return { things, maker, databaseName };
    },
  };
}

function subjectOf(statement: DumpStatement): string | undefined {
  if (statement.subject !== undefined) return statement.subject;
  return "name" in statement ? `${statement.kind} ${statement.name}` : undefined;
}

function decoded(latin1: string | undefined): string | undefined {
  return latin1 === undefined ? undefined : toBytes(latin1.trimEnd()).toString("utf8");
}
