// Says how two directory trees differ: types, bytes, modes, owners, mtimes and link targets. Used to hold a
// restored site against the one that was backed up, so it must not share code with what made the archive.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

interface Description {
  readonly text: string;
  /** Of files and directories. */
  readonly mtimeNs: bigint;
}

const SEPARATOR = Buffer.from("/");

async function sha256(path: Buffer): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function describe(path: Buffer): Promise<Description> {
  const stat = await lstat(path, { bigint: true });
  const owner = `${stat.uid}:${stat.gid} ${(stat.mode & 0o7777n).toString(8)}`;
  const { mtimeNs } = stat;
  if (stat.isSymbolicLink()) {
    const target = await readlink(path, "latin1");
    return { text: `symlink ${stat.uid}:${stat.gid} ${target}`, mtimeNs: 0n };
  }
  if (stat.isDirectory()) return { text: `dir ${owner}`, mtimeNs };
  if (stat.isFile()) return { text: `file ${owner} ${stat.size} ${await sha256(path)}`, mtimeNs };
  return { text: `special ${owner}`, mtimeNs: 0n };
}

function isSame(a: Description, b: Description, slackNs: bigint): boolean {
  const apart = a.mtimeNs - b.mtimeNs;
  return a.text === b.text && apart <= slackNs && -apart <= slackNs;
}

function show({ text, mtimeNs }: Description): string {
  return `${text} ${mtimeNs}`;
}

/** Relative names as latin1, so that bytes that are not UTF-8 stay apart. */
async function collect(root: Buffer, excludedDirs: ReadonlySet<string>): Promise<Map<string, Description>> {
  const found = new Map<string, Description>();
  const visit = async (dir: Buffer, prefix: string): Promise<void> => {
    for (const entry of await readdir(dir, { withFileTypes: true, encoding: "buffer" })) {
      const name = entry.name.toString("latin1");
      if (entry.isDirectory() && excludedDirs.has(name)) continue;
      const path = Buffer.concat([dir, SEPARATOR, entry.name]);
      found.set(prefix + name, await describe(path));
      if (entry.isDirectory()) await visit(path, `${prefix}${name}/`);
    }
  };
  await visit(root, "");
  return found;
}

export interface CompareOptions {
  /** Directory names left out wherever they are. */
  readonly excludedDirs?: readonly string[];
  /** How far times may be apart: Node sets them as a double of seconds, which is good to 0.3 µs. None by default. */
  readonly mtimeSlackNs?: bigint;
}

/** One line per difference, empty when the trees are the same. */
export async function compareTrees(
  expected: string,
  actual: string,
  options: CompareOptions = {},
): Promise<string[]> {
  const excluded = new Set(options.excludedDirs ?? []);
  const [want, have] = await Promise.all([
    collect(Buffer.from(expected), excluded),
    collect(Buffer.from(actual), excluded),
  ]);
  const differences: string[] = [];
  for (const [name, description] of want) {
    const other = have.get(name);
    if (other === undefined) differences.push(`missing: ${name} (${show(description)})`);
    else if (!isSame(description, other, options.mtimeSlackNs ?? 0n)) {
      differences.push(`differs: ${name}: ${show(description)} → ${show(other)}`);
    }
  }
  for (const name of have.keys()) if (!want.has(name)) differences.push(`unexpected: ${name}`);
  return differences;
}
