// A listing of an archive as of a disk: one directory at a time, with what all below it amounts to. Pure.

import { nameFromText, nameToText } from "#shared/format/entry-name.ts";
import type { EntryType } from "#shared/format/index-entry.ts";
import { formatBytes } from "#shared/units.ts";
import type { ByteString } from "../byte-string.ts";

export interface ListedEntry {
  /** For people and machines; bytes that are no text are written as \xNN. */
  readonly name: string;
  readonly type: "file" | "directory" | "symlink";
  /** Of a directory: of all files below it. */
  readonly size: number;
  /** Files below it; 1 for anything else. */
  readonly files: number;
  /** Undefined for directories that have no entry of their own. */
  readonly mtime: string | undefined;
  readonly link?: string;
}

export interface Listing {
  see(entry: SeenEntry): void;
  /** By name. */
  list(): ListedEntry[];
}

export interface SeenEntry {
  readonly type: EntryType | "x";
  readonly name: ByteString;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly link?: ByteString;
}

/** What is directly in `prefix`, the entry itself if it is a file, or, if `isDeep`, everything below it. */
export function createListing(prefix: string, isDeep: boolean): Listing {
  const top = nameFromText(prefix)
    .replace(/^(?:\.\/+)+/, "")
    .replace(/\/+$/, "");
  const within = top === "" ? "" : `${top}/`;
  const rows = new Map<ByteString, ListedEntry>();
  const add = (name: ByteString, row: Partial<ListedEntry>): void => {
    const before = rows.get(name) ?? {
      name: nameToText(name),
      type: "directory",
      size: 0,
      files: 0,
      mtime: undefined,
    };
    rows.set(name, {
      ...before,
      ...row,
      size: before.size + (row.size ?? 0),
      files: before.files + (row.files ?? 0),
    });
  };
  return {
    see({ type, name, size, mtimeNs, link }) {
      if (type === "x" || (name !== top && !name.startsWith(within))) return;
      if (name === top && type === "d") return;
      const slash = isDeep || name === top ? -1 : name.indexOf("/", within.length);
      const mtime = timeOf(mtimeNs);
      if (slash !== -1) add(name.slice(0, slash), { size, files: type === "d" ? 0 : 1 });
      else if (type === "d") add(name, { mtime });
      else if (type === "l") add(name, { type: "symlink", files: 1, mtime, link: nameToText(link ?? "") });
      else add(name, { type: "file", size, files: 1, mtime });
    },
    list: () => [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
  };
}

function timeOf(timeNs: bigint): string {
  const time = new Date(Number(timeNs / 1_000_000n));
  return Number.isNaN(time.getTime()) ? "?" : time.toISOString();
}

/** As `ls -l` does, without what restoring does not ask for. */
export function formatListed({ name, type, size, files, mtime, link }: ListedEntry): string {
  const when = (mtime ?? "").slice(0, 16).replace("T", " ").padEnd(16);
  const what = type === "directory" ? `${name}/  (${files} ${files === 1 ? "file" : "files"})` : name;
  const arrow = link === undefined ? "" : ` -> ${link}`;
  return `${formatBytes(size).padStart(8)}  ${when}  ${what}${arrow}`;
}
