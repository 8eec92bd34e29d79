// What of an archive is to be restored: parts and paths made into entries, and links whose content lies elsewhere
// resolved. Pure; a million entries cost numbers, not objects.
import type { RestorePart } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { corrupt } from "#shared/format/corrupt.ts";
import { nameFromText } from "#shared/format/entry-name.ts";
import type { ByteString } from "../byte-string.ts";
import type { EntryTable } from "../copy/entry-table.ts";
import { nearNames } from "./near-names.ts";

export interface Selection {
  /** Every part, if absent. */
  readonly only?: readonly RestorePart[] | undefined;
  /** Files, or directories with all below them, as they are named in the archive; everything, if none is given. */
  readonly paths?: readonly string[] | undefined;
}

export const DATABASE_NAME = "database.sql";

export interface SelectedEntries {
  /** Ids of files in tar order: their content is read. */
  readonly files: readonly number[];
  /** Names for files of which only a hard link is wanted: the content appears under the link's name. */
  readonly renamed: ReadonlyMap<number, ByteString>;
  /** Ids of symbolic links. */
  readonly symlinks: readonly number[];
  /** Further names of files, in tar order. */
  readonly hardLinks: readonly { readonly name: ByteString; readonly target: ByteString }[];
  /** Ids of directories, those around what is selected included. */
  readonly directories: readonly number[];
  /** Content to be written. */
  readonly bytes: number;
}

export type Wants = (name: ByteString) => boolean;

/** Which part of a site an entry belongs to; undefined in archives of other tools that hold something else. */
export function partOf(name: ByteString, databaseName: ByteString = DATABASE_NAME): RestorePart | undefined {
  if (name === databaseName) return "db";
  if (name === "wp-config.php") return "config";
  return name === "wp-content" || name.startsWith("wp-content/") ? "files" : undefined;
}

export interface Wanted {
  readonly wants: Wants;
  /** Paths that nothing was found for, so far. */
  readonly missing: () => readonly string[];
}

/** A test for names that also remembers which paths it has seen. */
export function createWanted({ only, paths = [] }: Selection, databaseName?: ByteString): Wanted {
  const parts = only === undefined ? undefined : new Set<RestorePart | undefined>(only);
  const asked = new Map(paths.map((path) => [normalPath(path), path]));
  const found = new Set<ByteString>();
  const isInPaths = (name: ByteString): boolean => {
    for (let end = name.length; end !== -1; end = name.lastIndexOf("/", end - 1)) {
      const above = name.slice(0, end);
      if (!asked.has(above)) continue;
      found.add(above);
      return true;
    }
    return false;
  };
  return {
    wants: (name) =>
      (asked.size === 0 || isInPaths(name)) && (parts === undefined || parts.has(partOf(name, databaseName))),
    missing: () => [...asked].filter(([name]) => !found.has(name)).map(([, path]) => path),
  };
}

/** As names are in the archive: `./wp-content/uploads/` is `wp-content/uploads`. */
function normalPath(path: string): ByteString {
  return nameFromText(path)
    .replace(/^(?:\.\/+)+/, "")
    .replace(/\/+$/, "");
}

/** @throws BackupError `archive_path_unknown`, naming what is near; `archive_corrupt` at links that cannot be. */
export function selectEntries(
  entries: EntryTable,
  selection: Selection,
  databaseName: ByteString,
): SelectedEntries {
  const { wants, missing } = createWanted(selection, databaseName);
  const files: number[] = [];
  const [symlinks, directories, links]: [number[], number[], number[]] = [[], [], []];
  for (let id = 0; id < entries.count(); id += 1) {
    if (!wants(entries.name(id))) continue;
    ({ f: files, l: symlinks, d: directories, h: links })[entries.type(id)].push(id);
  }
  const unknown = missing();
  if (unknown.length > 0) throw unknownPath(entries, unknown);
  const linked = resolveLinks(entries, files, links);
  const isWhole = selection.only === undefined && (selection.paths ?? []).length === 0;
  return {
    ...linked,
    symlinks,
    directories: isWhole
      ? directories
      : withParents(entries, directories, [...linked.files, ...links, ...symlinks]),
    bytes: linked.files.reduce((sum, id) => sum + entries.size(id), 0),
  };
}

type Linked = Pick<SelectedEntries, "files" | "renamed" | "hardLinks">;

function resolveLinks(entries: EntryTable, files: readonly number[], links: readonly number[]): Linked {
  if (links.length === 0) return { files, renamed: new Map(), hardLinks: [] };
  const selected = new Set(files);
  const renamed = new Map<number, ByteString>();
  const hardLinks: { name: ByteString; target: ByteString }[] = [];
  for (const id of links) {
    const name = entries.name(id);
    const content = contentOf(entries, id);
    const target = renamed.get(content) ?? entries.name(content);
    if (selected.has(content)) hardLinks.push({ name, target });
    else {
      selected.add(content);
      renamed.set(content, name);
    }
  }
  return { files: renamed.size === 0 ? files : [...selected].sort((a, b) => a - b), renamed, hardLinks };
}

/** The file whose content link `id` has. Links name earlier entries only, so this ends. */
function contentOf(entries: EntryTable, id: number): number {
  let [at, hops] = [id, 0];
  while (entries.type(at) === "h") {
    const target = entries.find(entries.stat(at).link ?? "");
    hops += 1;
    if (target === -1 || target >= at || hops > MAX_HOPS) throw corrupt("A hard link names no earlier file");
    at = target;
  }
  if (entries.type(at) !== "f") throw corrupt("A hard link names something that is no file");
  return at;
}

/** Ours are one hop from their file. */
const MAX_HOPS = 16;

/** Directories around what is restored get their modes and owners, too. */
function withParents(
  entries: EntryTable,
  directories: readonly number[],
  others: readonly number[],
): number[] {
  const found = new Set(directories);
  const seen = new Set<ByteString>();
  for (const id of [...directories, ...others]) {
    const name = entries.name(id);
    for (let end = name.lastIndexOf("/"); end !== -1; end = name.lastIndexOf("/", end - 1)) {
      const above = name.slice(0, end);
      if (seen.has(above)) break;
      seen.add(above);
      const parent = entries.find(above);
      if (parent !== -1 && entries.type(parent) === "d") found.add(parent);
    }
  }
  return [...found];
}

function unknownPath(entries: EntryTable, unknown: readonly string[]): BackupError {
  const [path = ""] = unknown;
  const near = nearNames(entries, normalPath(path));
  const others = unknown.length === 1 ? "" : ` (and ${unknown.length - 1} more)`;
  const detail = `The archive has no ${path}${others}`;
  if (near.length === 0) return new BackupError("archive_path_unknown", { detail });
  return new BackupError("archive_path_unknown", { detail, hint: `Did you mean ${near.join(" or ")}?` });
}
