// Reads given entries out of a tar and holds each against its line of the index: where the two do not say the same, the
// archive has two faces, and neither is believed.
import { corrupt } from "#shared/format/corrupt.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import { forDisplay } from "../byte-string.ts";
import type { TarItem } from "./tar-header.ts";
import { createTarReader, type TarReader } from "./tar-reader.ts";

export interface ExpectedEntry {
  readonly entry: IndexEntry;
  /** Where the next entry begins in the tar. */
  readonly tarEnd: number;
}

export interface CheckedSink<T extends ExpectedEntry> {
  readonly begin: (expected: T) => void;
  readonly content: (bytes: Uint8Array) => void;
  readonly end: (expected: T) => void;
}

export interface CheckedEntries {
  /** The tar's bytes from `tarOffset`; what lies between two calls is of no interest. Throws `archive_corrupt`. */
  write(tarOffset: number, bytes: Uint8Array): void;
  /** All expected entries must have come. */
  end(): void;
}

/** `expected` in tar order. */
export function readCheckedEntries<T extends ExpectedEntry>(
  expected: readonly T[],
  sink: CheckedSink<T>,
): CheckedEntries {
  let at = 0;
  let position = 0;
  let reader: TarReader | undefined;
  let ended = false;

  const readerOf = (wanted: T): TarReader => {
    let begun = false;
    return createTarReader({
      entry: (item) => {
        if (begun) throw mismatch(wanted, "is followed by another where the index has none");
        begun = true;
        compare(wanted, item);
        sink.begin(wanted);
      },
      content: sink.content,
      endEntry: () => {
        ended = true;
        sink.end(wanted);
      },
    });
  };
  const finish = (wanted: T): void => {
    // Zero blocks in the middle would end the tar for every other reader.
    if (!ended || reader?.isBetween() !== true || reader.isEnded())
      throw mismatch(wanted, "does not end where its index line says");
    reader = undefined;
    ended = false;
    at += 1;
  };
  return {
    write(tarOffset, bytes) {
      const end = tarOffset + bytes.length;
      for (;;) {
        const wanted = expected[at];
        if (wanted === undefined || wanted.entry.tarOffset >= end) return;
        const from = reader === undefined ? wanted.entry.tarOffset : position;
        if (from < tarOffset || (reader !== undefined && from !== tarOffset))
          throw new Error("frames are missing");
        reader ??= readerOf(wanted);
        position = Math.min(end, wanted.tarEnd);
        reader.write(bytes.subarray(from - tarOffset, position - tarOffset));
        if (position < wanted.tarEnd) return;
        finish(wanted);
      }
    },
    end() {
      const wanted = expected[at];
      if (wanted !== undefined) throw mismatch(wanted, "is not in its frames");
    },
  };
}

function compare({ entry, ...rest }: ExpectedEntry, item: TarItem): void {
  const differs = FIELDS.find((field) => entry[field] !== item[field]);
  if (differs !== undefined)
    throw mismatch({ entry, ...rest }, `has another ${NAMES[differs]} in the tar than in the index`);
}

const FIELDS = ["type", "name", "size", "mode", "uid", "gid", "mtimeNs", "link"] as const;
const NAMES: Readonly<Record<(typeof FIELDS)[number], string>> = {
  type: "type",
  name: "name",
  size: "size",
  mode: "mode",
  uid: "owner",
  gid: "group",
  mtimeNs: "time",
  link: "target",
};

function mismatch({ entry }: ExpectedEntry, what: string): Error {
  return corrupt(`${forDisplay(entry.name)} ${what}`);
}
