// The directory in which a restore gets everything ready and keeps what it replaces. It must lie on the site's file
// system, since only then a rename moves a tree in no time, and where no web server looks.
import type { ByteString } from "../../plan/byte-string.ts";
import { parentPath, type SiteTree } from "./site-tree.ts";

export interface Stage {
  readonly root: ByteString;
  /** What was restored, until it is in its place. */
  readonly fresh: ByteString;
  /** What it replaced. */
  readonly kept: ByteString;
  /** What was in its place and has left again. */
  readonly discarded: ByteString;
}

/** Both belong into the journal before anything is made. */
export interface StagePlaces {
  /** In our own directory: where it is made if that can be. */
  readonly own: ByteString;
  /** Else beside the thing that is to be replaced, hidden, and closed to everybody but us. */
  readonly beside: ByteString;
}

export function stagePlaces(ownDir: ByteString, target: ByteString, id: string): StagePlaces {
  const parent = parentPath(target);
  return { own: `${ownDir}/stage`, beside: `${parent === "/" ? "" : parent}/.backupd-${id}` };
}

export function stageAt(root: ByteString): Stage {
  return { root, fresh: `${root}/fresh`, kept: `${root}/kept`, discarded: `${root}/discarded` };
}

export function makeStage(tree: SiteTree, { own, beside }: StagePlaces): Stage {
  tree.makeDirectory(own, 0o700);
  if (isOneRenameAway(tree, `${own}/probe`, beside)) return fill(tree, stageAt(own));
  tree.makeDirectory(beside, 0o700);
  // Its mode keeps a web server out that runs as somebody else; this does, too, if it runs as ourselves.
  tree.makeFile(`${beside}/.htaccess`, "Require all denied\n", 0o644);
  return fill(tree, stageAt(beside));
}

function fill(tree: SiteTree, stage: Stage): Stage {
  for (const directory of [stage.fresh, stage.kept, stage.discarded]) tree.makeDirectory(directory, 0o700);
  return stage;
}

/** Found out by doing it: device numbers are the same across bind mounts, which renames cannot cross. */
function isOneRenameAway(tree: SiteTree, from: ByteString, to: ByteString): boolean {
  tree.makeDirectory(from, 0o700);
  try {
    tree.rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    return false;
  }
  tree.rename(to, from);
  return true;
}
