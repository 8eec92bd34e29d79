// What stays on disk after a restore, for undo, and what need not: leftovers of the extraction go at once.

import { toBytes } from "../../plan/byte-string.ts";
import type { RestoreJournal } from "../../plan/restore/restore-journal.ts";
import { walkTree } from "../walk-tree.ts";
import type { SiteTree } from "./site-tree.ts";
import type { Stage } from "./stage.ts";

/** Bytes of the old files and of the safety dump as stored. */
export async function leftSize(tree: SiteTree, journal: RestoreJournal, stage: Stage): Promise<number> {
  await tree.remove(stage.fresh);
  let total = journal.database?.safety.frame_bytes.reduce((sum, bytes) => sum + bytes, 0) ?? 0;
  walkTree(toBytes(stage.kept).toString("utf8"), {
    visit: ({ stat }) => {
      if (stat.isFile()) total += Number(stat.size);
    },
    vanished: () => undefined,
    excludes: () => false,
  });
  return total;
}
