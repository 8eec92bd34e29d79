// Everything that an extracted tree must have in common with the one that was backed up, one line per name: type, mode,
// owner, mtime, bytes, link targets, and which names are one file. Independent of the product's own walk.
import { hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** In the order of the names' bytes; the root itself is ".". */
export function treeFacts(root: string): string[] {
  const firstNames = new Map<bigint, string>();
  const factsOf = (path: string, name: string): string[] => {
    const bytes = Buffer.from(path, "latin1");
    const stat = lstatSync(bytes, { bigint: true });
    const facts = [JSON.stringify(name), stat.mode.toString(8), stat.uid, stat.gid, stat.mtimeNs];
    if (stat.isSymbolicLink()) {
      return [[...facts, "->", JSON.stringify(readlinkSync(bytes, "latin1"))].join(" ")];
    }
    if (stat.isDirectory()) {
      const names = readdirSync(bytes, "latin1").sort();
      return [facts.join(" "), ...names.flatMap((child) => factsOf(`${path}/${child}`, `${name}/${child}`))];
    }
    const first = firstNames.get(stat.ino);
    if (first !== undefined) return [[...facts, "is", JSON.stringify(first)].join(" ")];
    firstNames.set(stat.ino, name);
    return [[...facts, stat.size, hash("sha256", readFileSync(bytes))].join(" ")];
  };
  return factsOf(Buffer.from(root).toString("latin1"), ".");
}
