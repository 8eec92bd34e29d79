// Reads an archive back whole with the product's own reader: index, trailer and seek table against each other, every
// frame's hash, and every tar header against its line, for the tests of damage.

import type { ObjectReader } from "#runner/io/restore/object-reader.ts";
import { type OpenArchive, openArchive } from "#runner/io/restore/open-archive.ts";
import { openFrame } from "#runner/io/restore/open-frame.ts";
import { readCheckedEntries } from "#runner/plan/restore/checked-entries.ts";
import type { BackupError } from "#shared/errors.ts";

/** @throws BackupError `archive_corrupt`. */
async function readWithProduct(object: Buffer, sha256Index?: string): Promise<void> {
  const signal = new AbortController().signal;
  const archive = await openArchive(inMemory(object), { sha256Index, signal });
  const { frames, entries, header } = indexed(archive);
  const all = Array.from({ length: entries.count() }, (_, id) => ({
    entry: { ...entries.stat(id), tarOffset: entries.tarOffset(id), flags: entries.flags(id) },
    tarEnd: id + 1 < entries.count() ? entries.tarOffset(id + 1) : header.entries_end,
  }));
  const ignore = (): undefined => undefined;
  const checked = readCheckedEntries(all, { begin: ignore, content: ignore, end: ignore });
  for (const frame of frames) {
    const stored = object.subarray(frame.offset, frame.offset + frame.compressedBytes);
    openFrame(frame, stored, (at, tar) => checked.write(at, tar));
  }
  checked.end();
}

function indexed(archive: OpenArchive): Extract<OpenArchive, { kind: "indexed" }> {
  if (archive.kind !== "indexed") throw new Error("an archive with a record was taken for another tool's");
  return archive;
}

function inMemory(object: Buffer): ObjectReader {
  return {
    label: "memory",
    sizeBytes: object.length,
    async *read(offset, bytes) {
      yield object.subarray(offset, offset + bytes);
    },
    async pour(offset, bytes, _signal, take) {
      await take(object.subarray(offset, offset + bytes));
    },
    traffic: () => ({ requests: 0, bytes: 0 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The code of the error that reading ends with, or "none". `sha256Index`: of the record. */
export async function productSays(object: Buffer, sha256Index?: string): Promise<string> {
  try {
    await readWithProduct(object, sha256Index);
    return "none";
  } catch (error) {
    return (error as Partial<BackupError>).code ?? `crash: ${String(error)}`;
  }
}
