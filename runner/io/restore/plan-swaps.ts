// Which names of the live site change hands: wp-config.php, all of wp-content or single paths in it, and what has to
// be carried over because no backup has it.
import { BackupError } from "#shared/errors.ts";
import { type ByteString, forDisplay } from "../../plan/byte-string.ts";
import { chosenExcludesFor, isAlwaysExcluded } from "../../plan/excludes.ts";
import type { Swap } from "../../plan/restore/restore-journal.ts";
import type { Selection } from "../../plan/restore/selection.ts";
import { walkTree } from "../walk-tree.ts";
import { parentPath, type SiteTree } from "./site-tree.ts";
import type { Stage } from "./stage.ts";

export interface SwapRequest {
  readonly selection: Selection;
  readonly stage: Stage;
  /** Of the live site; neither need be there. */
  readonly configPath: ByteString;
  readonly contentDir: ByteString;
  /** The operator's globs of what is not backed up. */
  readonly exclude: readonly string[];
}

/** In the order in which they are to be made. @throws BackupError `restore_failed`. */
export function planSwaps(tree: SiteTree, request: SwapRequest): Swap[] {
  const { selection, stage, configPath, contentDir } = request;
  const swaps: Swap[] = [];
  const swap = (target: ByteString, fresh: ByteString): void => {
    const name = String(swaps.length);
    const places = { target, fresh, discarded: `${stage.discarded}/${name}` };
    const old = tree.statOf(target);
    if (old === undefined) swaps.push({ ...places, kept: null });
    else swaps.push({ ...places, kept: `${stage.kept}/${name}`, replaced_inode: String(old.ino) });
  };
  const freshContent = `${stage.fresh}/wp-content`;
  if (
    selection.content === "all" ||
    (selection.content.length > 0 && tree.kindOf(contentDir) === undefined)
  ) {
    swap(contentDir, freshContent);
    swaps.push(...planCarried(tree, request, swaps[0]?.kept ?? null));
  } else {
    const seen = new Set<ByteString>();
    for (const path of selection.content) {
      const below = replaceable(tree, contentDir, path).join("/");
      if (!seen.has(below)) swap(`${contentDir}/${below}`, `${freshContent}/${below}`);
      seen.add(below);
    }
  }
  if (selection.config) swap(configPath, `${stage.fresh}/wp-config.php`);
  return swaps;
}

/** The path itself, or the outermost directory on the way that the site does not have. */
function replaceable(
  tree: SiteTree,
  contentDir: ByteString,
  path: readonly ByteString[],
): readonly ByteString[] {
  for (let length = 1; length < path.length; length += 1) {
    const onTheWay = path.slice(0, length);
    const kind = tree.kindOf([contentDir, ...onTheWay].join("/"));
    if (kind === undefined) return onTheWay;
    if (kind === "directory") continue;
    throw new BackupError("restore_failed", {
      detail: `${forDisplay(onTheWay.join("/"))} is not a directory in the site's wp-content`,
      hint: "Restore the path's parent directory, or all of wp-content.",
    });
  }
  return path;
}

/** What the operator keeps out of backups stays: it moves from the old wp-content into the new one, and back on undo. */
function planCarried(tree: SiteTree, request: SwapRequest, kept: ByteString | null): Swap[] {
  const { contentDir, exclude, stage } = request;
  if (kept === null) return [];
  const carried: Swap[] = [];
  for (const path of chosenToStay(contentDir, exclude)) {
    const below = path.join("/");
    const fresh = `${stage.fresh}/wp-content/${below}`;
    if (tree.kindOf(fresh) !== undefined || !makeParents(tree, contentDir, stage, path)) continue;
    const from = `${kept}/${below}`;
    carried.push({ target: `${contentDir}/${below}`, kept: null, fresh: from, discarded: from });
  }
  return carried;
}

function chosenToStay(contentDir: ByteString, exclude: readonly string[]): (readonly ByteString[])[] {
  const isChosen = chosenExcludesFor(exclude);
  const found: (readonly ByteString[])[] = [];
  walkTree(Buffer.from(contentDir, "latin1").toString("utf8"), {
    visit: () => undefined,
    vanished: () => undefined,
    excludes(path, isDirectory) {
      if (isAlwaysExcluded(path, isDirectory)) return true;
      if (!isChosen(path, isDirectory)) return false;
      found.push(path);
      return true;
    },
  });
  return found;
}

/** False if something else than a directory is in the way in what was restored. */
function makeParents(tree: SiteTree, live: ByteString, stage: Stage, path: readonly ByteString[]): boolean {
  for (let length = 1; length < path.length; length += 1) {
    const below = path.slice(0, length).join("/");
    const fresh = `${stage.fresh}/wp-content/${below}`;
    const kind = tree.kindOf(fresh);
    if (kind === "other") return false;
    const model = tree.statOf(`${live}/${below}`);
    if (kind === undefined && model !== undefined) tree.makeDirectoryLike(fresh, model);
  }
  return true;
}

/** Another tool's archive may have no wp-content, or not where ours have it. @throws BackupError `archive_path_unknown`. */
export function checkExtracted(tree: SiteTree, stage: Stage, swaps: readonly Swap[]): void {
  for (const { fresh } of swaps) {
    if (fresh === null || !fresh.startsWith(`${stage.fresh}/`) || tree.kindOf(fresh) !== undefined) continue;
    const name = forDisplay(fresh.slice(stage.fresh.length + 1));
    throw new BackupError("archive_path_unknown", { detail: `The archive has no ${name} to put in place` });
  }
}

/** Renames stay on one file system. @throws BackupError `restore_failed`, before anything is changed. */
export function checkSwaps(tree: SiteTree, stage: Stage, swaps: readonly Swap[]): void {
  const here = tree.statOf(stage.root)?.dev;
  for (const { target } of swaps) {
    const there = tree.statOf(parentPath(target))?.dev;
    const itself = tree.statOf(target)?.dev;
    if (there === here && (itself === undefined || itself === here)) continue;
    if (there === undefined) continue; // A carried name: its directory comes with what was restored.
    throw new BackupError("restore_failed", {
      detail: `${forDisplay(target)} is on another file system than what was restored`,
      hint: "Restore into a directory (--to DIR) and copy from there, or restore single paths (--path).",
    });
  }
}
