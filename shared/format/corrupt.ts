// One way to say that an archive's bytes are not what the format promises; everything in this folder throws it.
import { BackupError } from "#shared/errors.ts";

export function corrupt(detail: string, cause?: unknown): BackupError {
  return new BackupError("archive_corrupt", { detail, ...(cause === undefined ? {} : { cause }) });
}
