// A scratch file without a name: unlinked as soon as it is open, so nothing is left of it however this process ends.
import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { BackupError } from "#shared/errors.ts";

export interface Spool extends AsyncDisposable {
  /** @throws BackupError `disk_full`. */
  append(bytes: Uint8Array): Promise<void>;
  read(offset: number, bytes: number): Promise<Buffer>;
}

/** @throws BackupError `disk_full`, `state_dir_unusable`. */
export async function openSpool(directory: string): Promise<Spool> {
  const file = await openUnnamed(directory);
  let end = 0;
  return {
    async append(bytes) {
      try {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, end);
          done += bytesWritten;
          end += bytesWritten;
        }
      } catch (error) {
        throw spoolError(error, directory);
      }
    },
    async read(offset, length) {
      const buffer = Buffer.allocUnsafeSlow(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new BackupError("dump_failed", { detail: "The spooled dump ends too early" });
        done += bytesRead;
      }
      return buffer;
    },
    [Symbol.asyncDispose]: async () => await file.close(),
  };
}

async function openUnnamed(directory: string): Promise<FileHandle> {
  const path = join(directory, `${randomUUID()}.spool`);
  try {
    const file = await open(path, "wx+", 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw spoolError(error, directory);
  }
}

function spoolError(error: unknown, directory: string): BackupError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new BackupError(full ? "disk_full" : "state_dir_unusable", {
    detail: `${directory}: ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
