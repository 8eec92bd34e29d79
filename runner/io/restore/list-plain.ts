// The table of contents of another tool's archive, which shows only when all of it is read.

import { corrupt } from "#shared/format/corrupt.ts";
import type { TarItem } from "../../plan/restore/tar-header.ts";
import { createTarReader } from "../../plan/restore/tar-reader.ts";
import type { PlainArchive } from "./open-archive.ts";
import { unzstd } from "./unzstd-stream.ts";

/** @throws BackupError `archive_corrupt`, `storage_*`; the signal's reason. */
export async function readPlainList(
  { reader }: PlainArchive,
  see: (item: TarItem) => void,
  signal: AbortSignal,
): Promise<void> {
  const nothing = (): void => undefined;
  const tar = createTarReader({ entry: see, content: nothing, endEntry: nothing });
  for await (const bytes of unzstd(reader.read(0, reader.sizeBytes, signal))) tar.write(bytes);
  if (!tar.isEnded()) throw corrupt("The tar is cut off");
}
