// Holds an extracted tree against the index it was made from: every name is there, of its type and of its size. What is in
// the files was held against the frames' hashes as it was read.
import { lstatSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { toBytes } from "../../plan/byte-string.ts";
import type { IndexedArchive } from "../restore/open-archive.ts";

/** Names looked at before others get their turn. */
const SLICE = 500;

/** What is wrong, in words, the first ones. */
export async function compareTree(
  { entries }: IndexedArchive,
  dir: string,
  { max, signal }: { readonly max: number; readonly signal: AbortSignal },
): Promise<string[]> {
  const faults: string[] = [];
  const root = Buffer.from(`${dir}/`);
  for (let id = 0; id < entries.count() && faults.length < max; id += 1) {
    if (id % SLICE === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
    const name = toBytes(entries.name(id));
    const type = entries.type(id);
    const stat = lstatSync(Buffer.concat([root, name]), { throwIfNoEntry: false });
    const isThere =
      type === "d" ? stat?.isDirectory() : type === "l" ? stat?.isSymbolicLink() : stat?.isFile();
    if (isThere !== true) faults.push(`${name.toString("utf8")} is not there after the extraction`);
    else if (type === "f" && stat?.size !== entries.size(id))
      faults.push(`${name.toString("utf8")} has ${stat?.size} bytes, not ${entries.size(id)}`);
  }
  return faults;
}
