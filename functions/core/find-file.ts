// Where in an archive one file's content lies, from the index as it comes: which bytes of the tar, and which frames hold a
// piece of them. Of an index of a million names only the frames' places are kept.
import { posix } from "node:path";
import { BackupError } from "#shared/errors.ts";
import { corrupt } from "#shared/format/corrupt.ts";
import { nameFromText, nameToText } from "#shared/format/entry-name.ts";
import type { EntryType, IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexSink } from "#shared/format/index-lines.ts";

const BLOCK_BYTES = 512;

export interface FoundFile {
  readonly entry: IndexEntry;
  /** Of the content, in the tar. */
  readonly from: number;
  readonly frames: readonly FrameRecord[];
}

export interface FileSearch extends IndexSink {
  /** undefined: the archive has nothing of that name. */
  found(): FoundFile | undefined;
}

/** `matches` is asked with byte strings. */
export function createFileSearch(matches: (name: string) => boolean): FileSearch {
  const frames: FrameRecord[] = [];
  let entry: IndexEntry | undefined;
  let isLast = false;
  let end = 0;
  return {
    header(header) {
      end = header.entries_end;
    },
    frame(frame) {
      frames.push(frame);
    },
    entry(next) {
      if (isLast) {
        end = next.tarOffset;
        isLast = false;
      }
      if (!matches(next.name)) return;
      if (entry !== undefined) throw corrupt(`The archive has two entries named ${nameToText(next.name)}`);
      entry = next;
      isLast = true;
    },
    found() {
      if (entry === undefined) return undefined;
      // An entry ends with its content, padded to whole blocks.
      const from = end - Math.ceil(entry.size / BLOCK_BYTES) * BLOCK_BYTES;
      if (from < entry.tarOffset + BLOCK_BYTES) throw corrupt("An entry is shorter than its content");
      return { entry, from, frames };
    },
  };
}

/** Matches the file that a listing shows as `path`: text, with `\xNN` for bytes that are none. */
export function namedAs(path: string): (name: string) => boolean {
  const wanted = path.replace(/^\/+|\/+$/g, "");
  const name = nameFromText(wanted);
  if (!wanted.includes("\\x")) return (one) => one === name;
  return (one) => one === name || nameToText(one) === wanted;
}

/** The frames that hold [from, to) of the tar, in their order. */
export function framesOver(frames: readonly FrameRecord[], from: number, to: number): FrameRecord[] {
  return frames.filter(({ tarOffset, tarBytes }) => tarOffset < to && tarOffset + tarBytes > from);
}

const KINDS: Readonly<Record<Exclude<EntryType, "f" | "h">, string>> = {
  d: "a directory",
  l: "a symbolic link",
};

/** @throws BackupError unless it is a file of no more than that. */
export function checkDownloadable({ type, size }: IndexEntry, path: string, maxBytes: number): void {
  if (type === "d" || type === "l") {
    throw new BackupError("invalid_request", {
      detail: `${path} is ${KINDS[type]}; only files can be downloaded.`,
    });
  }
  if (size > maxBytes) {
    throw new BackupError("file_too_large", {
      detail: `${path} has ${size} bytes; ${maxBytes} is the most.`,
    });
  }
}

/** What the file of that path, as text, is saved as: its own name, without what could lead elsewhere or deceive whoever reads it. */
export function safeFileName(path: string): string {
  const text = posix
    .basename(path)
    .replace(UNSAFE, "_")
    .replace(/^\.+|[. ]+$/g, "_");
  return Array.from(text).slice(0, MAX_NAME).join("") || "file";
}

const MAX_NAME = 150;
/** Control and formatting characters (such as those that turn the direction), and what file systems give a meaning to. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"*/:<>?\\|]/gu;
