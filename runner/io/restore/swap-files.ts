// Exchanges what the live site has for what was restored, and back, without a moment in which nothing is there: files are
// replaced, directories exchanged. Where the file system cannot exchange two names, microseconds lie between taking the
// old directory away and putting the new one in its place. Putting back looks at what is where, so it may be interrupted
// anywhere and repeated.
import type { ByteString } from "../../plan/byte-string.ts";
import type { Swap } from "../../plan/restore/restore-journal.ts";
import { parentPath, type SiteTree } from "./site-tree.ts";

/** A busy site may make a directory anew in the very gap; more often than this is no accident. */
const MAX_INTRUDERS = 5;
const OCCUPIED: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR"]);

/** Throws as rename(2) does; what was done so far is undone by `revertSwap`. */
export function applySwap(tree: SiteTree, swap: Swap): void {
  const { target, kept, fresh } = swap;
  if (kept === null) {
    if (fresh !== null) moveIn(tree, fresh, swap);
  } else if (fresh === null) {
    tree.rename(target, kept);
  } else if (tree.kindOf(target) !== "directory" && tree.kindOf(fresh) !== "directory") {
    if (!linked(tree, target, kept)) tree.rename(target, kept);
    moveIn(tree, fresh, swap);
  } else if (isReplaced(tree, target, swap) && tree.exchange(fresh, target)) {
    tree.rename(fresh, kept);
  } else {
    tree.rename(target, kept);
    moveIn(tree, fresh, swap);
  }
  tree.sync(parentPath(target));
}

/** Puts back what was there before, whichever steps of `applySwap` were done. */
export function revertSwap(tree: SiteTree, swap: Swap): void {
  const { target, kept, discarded } = swap;
  if (kept === null) {
    if (isMovedIn(tree, swap) && tree.kindOf(target) !== undefined) moveAside(tree, target, discarded);
  } else {
    const old = placeOfOld(tree, swap, kept);
    if (old === undefined) return; // It never left, or it is back already.
    putBack(tree, old, swap);
  }
  tree.sync(parentPath(target));
}

function putBack(tree: SiteTree, old: ByteString, swap: Swap): void {
  const { target, discarded } = swap;
  const [oldKind, targetKind] = [tree.kindOf(old), tree.kindOf(target)];
  const hasGap = targetKind === "directory" || (targetKind !== undefined && oldKind === "directory");
  if (hasGap && isReplaced(tree, old, swap)) {
    // What was carried into the new tree has left it for the old one at `kept`, where the new one must not turn up now.
    const leaving = leavingPlace(swap);
    if (old !== leaving) tree.rename(old, leaving);
    if (tree.exchange(leaving, target)) return;
    moveAside(tree, target, discarded);
    tree.rename(leaving, target);
    return;
  }
  if (hasGap) moveAside(tree, target, discarded);
  // If both are still the same file, this does nothing (rename(2)), as it should.
  tree.rename(old, target);
}

function leavingPlace({ discarded }: Swap): ByteString {
  return `${discarded}.leaving`;
}

/** Where what was replaced is now; undefined if that is the target. */
function placeOfOld(tree: SiteTree, swap: Swap, kept: ByteString): ByteString | undefined {
  const places = [kept, ...(swap.fresh === null ? [] : [swap.fresh]), leavingPlace(swap)];
  const place = places.find((path) => isReplaced(tree, path, swap));
  if (place !== undefined) return place;
  return tree.kindOf(kept) === undefined || isReplaced(tree, swap.target, swap) ? undefined : kept;
}

/** Is what is at that path what was at the target when the restore was planned? */
function isReplaced(tree: SiteTree, path: ByteString, { replaced_inode }: Swap): boolean {
  return replaced_inode !== undefined && tree.statOf(path)?.ino.toString() === replaced_inode;
}

/**
 * Nothing was at the target before: is what is there now ours? Not if ours still waits, or has left again, or if the
 * place that it would leave for is gone (a thing carried over from an old tree that is itself back in place).
 */
function isMovedIn(tree: SiteTree, { fresh, discarded }: Swap): boolean {
  if (fresh === null || tree.kindOf(fresh) !== undefined) return false;
  return tree.kindOf(discarded) === undefined && tree.kindOf(parentPath(discarded)) !== undefined;
}

function linked(tree: SiteTree, from: ByteString, to: ByteString): boolean {
  try {
    tree.link(from, to);
    return true;
  } catch (error) {
    // Some file systems have no hard links; then there is a gap.
    if (["EPERM", "ENOTSUP", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

function moveIn(tree: SiteTree, fresh: ByteString, { target, discarded }: Swap): void {
  for (let intruders = 0; ; intruders += 1) {
    try {
      tree.rename(fresh, target);
      return;
    } catch (error) {
      const isOccupied = OCCUPIED.has((error as NodeJS.ErrnoException).code ?? "");
      if (!isOccupied || intruders === MAX_INTRUDERS) throw error;
      moveAside(tree, target, `${discarded}.intruder`);
    }
  }
}

function moveAside(tree: SiteTree, from: ByteString, aside: ByteString): void {
  let to = aside;
  for (let next = 1; tree.kindOf(to) !== undefined; next += 1) to = `${aside}.${next}`;
  tree.rename(from, to);
}
