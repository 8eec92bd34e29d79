// What the state directory remembers of a restore in place. It is written before each step, so that whoever finds it
// after a kill -9 knows what has to be put back, and nothing else has to be remembered.
import * as z from "zod";

/** A name's bytes, one character each (byte-string.ts), so that any name survives JSON. */
const Path = z.string().startsWith("/");

/** One name of the live site that changes hands. */
export const Swap = z.strictObject({
  /** In the live site. */
  target: Path,
  /** Where the old one is kept for undo; null if nothing was there. */
  kept: Path.nullable(),
  /**
   * The inode of what was there, in digits: two names that are exchanged are both there before and after. Journals from
   * before names were exchanged have none.
   */
  replaced_inode: z.string().regex(/^\d+$/).optional(),
  /** Where the new one waits for its turn; null if nothing takes the old one's place. */
  fresh: Path.nullable(),
  /** Where the new one goes if it has to leave again. */
  discarded: Path,
});
export type Swap = z.infer<typeof Swap>;

/** The dump that was made of the database before it was changed: zstd frames, one after another. */
export const SafetyDump = z.strictObject({
  file: z.string().startsWith("/"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
  /** Of each frame as stored: the decompressor takes one frame at a time. */
  frame_bytes: z.array(z.int().min(1)),
});
export type SafetyDump = z.infer<typeof SafetyDump>;

/** Things of a database that a restore made and that were not there before, so that undo can take them away. */
export const DatabaseObject = z.strictObject({
  kind: z.enum(["table", "view", "procedure", "function", "event"]),
  name: z.string(),
});
export type DatabaseObject = z.infer<typeof DatabaseObject>;

/**
 * - `preparing`: only our own directories have anything of it; the site was not touched.
 * - `changing`: files and database are being exchanged.
 * - `done`: the site is the restored one; what it replaced is kept for undo.
 * - `reverting`: what was replaced is being put back, because of a failure or by undo.
 * - `removing`: the site has what it shall have; our directories are going away.
 */
export const RestoreState = z.enum(["preparing", "changing", "done", "reverting", "removing"]);
export type RestoreState = z.infer<typeof RestoreState>;

export const RestoreJournal = z.strictObject({
  version: z.literal(1),
  id: z.uuid(),
  site_id: z.string().min(1).max(100),
  site_name: z.string().max(300),
  site_path: z.string().startsWith("/"),
  /** What was restored, for people: a backup's id or a file's name. */
  source: z.string().max(4096),
  started_at: z.iso.datetime(),
  state: RestoreState,
  /** When what is kept goes away by itself; set once `done`. */
  undo_until: z.iso.datetime().nullable(),
  /** Directories of ours, to be removed with all that is in them. */
  stages: z.array(Path),
  swaps: z.array(Swap),
  /** Null if the database is left alone. `is_changed`: the import has begun. */
  database: z
    .strictObject({
      is_changed: z.boolean(),
      safety: SafetyDump,
      made: z.array(DatabaseObject),
    })
    .nullable(),
  /** WordPress' `.maintenance` file while it is ours. */
  maintenance: Path.nullable(),
});
export type RestoreJournal = z.infer<typeof RestoreJournal>;

/** `remove` our directories, `revert` the site and then remove, or `keep` everything for undo. */
export type Recovery = "remove" | "revert" | "keep";

/** What to do with a journal whose process is gone. Both verbs may be interrupted and repeated any number of times. */
export function recoveryOf(state: RestoreState): Recovery {
  switch (state) {
    case "preparing":
    case "removing":
      return "remove";
    case "changing":
    case "reverting":
      return "revert";
    case "done":
      return "keep";
  }
}

/** Days that what a restore replaced is kept. */
export const UNDO_DAYS = 7;

export function undoUntil(now: Date): string {
  return new Date(now.getTime() + UNDO_DAYS * 86_400_000).toISOString();
}

/** The clock may have jumped: what looks kept for longer than it ever would be is kept, too. */
export function isUndoOver(journal: RestoreJournal, now: Date): boolean {
  return journal.undo_until !== null && Date.parse(journal.undo_until) <= now.getTime();
}
