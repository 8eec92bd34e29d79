// An archive that lies on this machine: downloaded by hand, or on a mounted disk.
import { open } from "node:fs/promises";
import { BackupError } from "#shared/errors.ts";
import type { RangeSource } from "./object-reader.ts";

const PIECE_BYTES = 262_144;

/** @throws BackupError `archive_missing`, `archive_read_failed`. */
export async function openFileSource(path: string): Promise<RangeSource> {
  try {
    const file = await open(path, "r");
    const stat = await file.stat();
    if (!stat.isFile()) {
      await file.close();
      throw new BackupError("archive_missing", {
        detail: `${path} is not a file`,
        hint: "Name an archive: NAME.tar.zst.",
      });
    }
    return {
      label: path,
      sizeBytes: stat.size,
      open: async (offset, bytes) => pieces(file, path, offset, bytes),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    throw readFailed(error, path);
  }
}

async function* pieces(
  file: Awaited<ReturnType<typeof open>>,
  path: string,
  offset: number,
  bytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, bytes));
  let done = 0;
  while (done < bytes) {
    const piece = buffer.subarray(0, bytes - done);
    const { bytesRead } = await file.read(piece, 0, piece.length, offset + done).catch((error: unknown) => {
      throw readFailed(error, path);
    });
    if (bytesRead === 0) throw new BackupError("archive_corrupt", { detail: `${path} has become shorter` });
    done += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

function readFailed(error: unknown, path: string): BackupError {
  if (error instanceof BackupError) return error;
  const { code = "no code" } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new BackupError("archive_missing", {
      detail: `${path} is not there`,
      hint: "Check the path of the archive.",
      cause: error,
    });
  }
  return new BackupError("archive_read_failed", { detail: `${path}: ${code}`, cause: error });
}
