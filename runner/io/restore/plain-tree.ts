// Makes files of a tar that nothing vouches for, entry by entry as they come. Links and directories' times wait for the
// end, so that nothing in the archive can change where a later entry goes.
import { BackupError } from "#shared/errors.ts";
import { corrupt } from "#shared/format/corrupt.ts";
import { isSafeEntryName } from "#shared/format/entry-name.ts";
import { forDisplay } from "../../plan/byte-string.ts";
import { createWanted, DATABASE_NAME } from "../../plan/restore/select-entries.ts";
import type { TarItem } from "../../plan/restore/tar-header.ts";
import { createTarReader, type TarReader } from "../../plan/restore/tar-reader.ts";
import type { PlainInput, PlainSummary } from "./plain-protocol.ts";
import type { FileWriter, TreeBuilder } from "./tree-builder.ts";

export interface PlainTree {
  readonly tar: TarReader;
  /** After the last byte. @throws BackupError `archive_corrupt`, `archive_path_unknown`, `restore_write_failed`. */
  finish(): PlainSummary;
}

const BLOCK_BYTES = 4096;
/** They are kept until the end; no site has so many. */
const MAX_LATE = 2_000_000;

export function createPlainTree(
  tree: TreeBuilder,
  { selection, budgetBytes }: Omit<PlainInput, "root" | "owners">,
): PlainTree {
  const { wants, missing } = createWanted(selection);
  const late: TarItem[] = [];
  let current: FileWriter | undefined;
  let left = budgetBytes;
  let [files, filesBytes, dbBytes, skipped] = [0, 0, 0, 0];
  let hasDb = false;

  const beginFile = (item: TarItem): void => {
    left -= Math.ceil(item.size / BLOCK_BYTES) * BLOCK_BYTES + BLOCK_BYTES;
    if (left < 0) {
      throw new BackupError("disk_full", {
        detail: `${forDisplay(item.name)}: the archive holds more than there is room for`,
        hint: "Free some space, or restore to another disk with --to.",
      });
    }
    current = tree.createFile(item.name, item);
    if (item.name === DATABASE_NAME) [hasDb, dbBytes] = [true, item.size];
    else [files, filesBytes] = [files + 1, filesBytes + item.size];
  };
  const begin = (raw: TarItem): void => {
    const item = { ...raw, name: withoutDot(raw.name) };
    if (item.name === "" && item.type === "d") return; // The directory that was packed itself.
    if (!isSafeEntryName(item.name))
      throw corrupt(`The name ${forDisplay(raw.name)} leads out of the archive`);
    if (!wants(item.name)) return;
    if (item.type === "f") beginFile(item);
    else if (item.type === "x") skipped += 1;
    else {
      late.push(item);
      if (late.length > MAX_LATE) throw corrupt("The archive has more links and directories than any site");
    }
  };
  const tar = createTarReader({
    entry: begin,
    content: (bytes) => current?.write(bytes),
    endEntry: () => {
      current?.close();
      current = undefined;
    },
  });
  return {
    tar,
    finish() {
      if (!tar.isEnded()) throw corrupt("The tar is cut off");
      const [unknown] = missing();
      if (unknown !== undefined) {
        throw new BackupError("archive_path_unknown", { detail: `The archive has no ${unknown}` });
      }
      const counts = finishLate(tree, late);
      return { ...counts, files: files + counts.hardLinks, filesBytes, dbBytes, hasDb, skipped };
    },
  };
}

function finishLate(
  tree: TreeBuilder,
  late: readonly TarItem[],
): { readonly directories: number; readonly symlinks: number; readonly hardLinks: number } {
  const [links, symlinks, directories] = (["h", "l", "d"] as const).map((type) =>
    late.filter((item) => item.type === type),
  );
  for (const { name, link = "" } of links ?? []) {
    const target = withoutDot(link);
    if (!isSafeEntryName(target)) throw corrupt(`The hard link ${forDisplay(name)} leads out of the archive`);
    tree.hardLink(name, target);
  }
  for (const item of symlinks ?? []) tree.symlink(item.name, item.link ?? "", item);
  const deepestFirst = (directories ?? []).toSorted((a, b) => (a.name < b.name ? 1 : -1));
  for (const item of deepestFirst) tree.finishDirectory(item.name, item);
  return {
    directories: deepestFirst.length,
    symlinks: symlinks?.length ?? 0,
    hardLinks: links?.length ?? 0,
  };
}

/** `tar -C site .` begins every name with `./`. */
export function withoutDot(name: string): string {
  return name.replace(/^(?:\.\/+)+/, "").replace(/^\.$/, "");
}
