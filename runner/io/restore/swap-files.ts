// Exchanges what the live site has for what was restored, and back. Between taking the old directory away and putting
// the new one in its place lie microseconds (Node has no renameat2(2) to exchange two names); files are replaced
// without any gap. Putting back looks at what is where, so it may be interrupted anywhere and repeated.
import type { ByteString } from "../../plan/byte-string.ts";
import type { Swap } from "../../plan/restore/restore-journal.ts";
import { parentPath, type SiteTree } from "./site-tree.ts";

/** A busy site may make a directory anew in the very gap; more often than this is no accident. */
const MAX_INTRUDERS = 5;
const OCCUPIED: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR"]);

/** Throws as rename(2) does; what was done so far is undone by `revertSwap`. */
export function applySwap(tree: SiteTree, swap: Swap): void {
  const { target, kept, fresh } = swap;
  const hasGap = tree.kindOf(target) === "directory" || fresh === null || tree.kindOf(fresh) === "directory";
  if (kept !== null) {
    if (hasGap || !linked(tree, target, kept)) tree.rename(target, kept);
  }
  if (fresh !== null) moveIn(tree, fresh, swap);
  tree.sync(parentPath(target));
}

/** Puts back what was there before, whichever steps of `applySwap` were done. */
export function revertSwap(tree: SiteTree, swap: Swap): void {
  const { target, kept } = swap;
  if (kept === null) {
    if (isMovedIn(tree, swap) && tree.kindOf(target) !== undefined) moveAside(tree, target, swap.discarded);
  } else {
    const keptKind = tree.kindOf(kept);
    if (keptKind === undefined) return; // It never left, or it is back already.
    const targetKind = tree.kindOf(target);
    const replacesAtOnce = keptKind === "other" && targetKind !== "directory";
    if (targetKind !== undefined && !replacesAtOnce) moveAside(tree, target, swap.discarded);
    // If both are still the same file, this does nothing (rename(2)), as it should.
    tree.rename(kept, target);
  }
  tree.sync(parentPath(target));
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
