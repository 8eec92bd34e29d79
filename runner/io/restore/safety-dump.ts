// The dump that a restore makes of a database before it changes it, on disk until undo is over: one file of zstd
// frames that `zstd -d` opens, too, should there ever be nobody left but an operator.
import { createHash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { decompress } from "@mongodb-js/zstd";
import { BackupError } from "#shared/errors.ts";
import type { SafetyDump } from "../../plan/restore/restore-journal.ts";
import type { Dump } from "../dump.ts";
import { stateError } from "../state-dir.ts";
import type { DumpSource } from "./import-dump.ts";

/** Durable when it resolves. @throws BackupError `disk_full`, `state_dir_unusable`. */
export async function keepSafetyDump(dump: Dump, file: string): Promise<SafetyDump> {
  const frameBytes: number[] = [];
  try {
    await using out = await open(file, "wx", 0o600);
    for await (const { bytes } of dump.frames()) {
      await out.writeFile(bytes);
      frameBytes.push(bytes.length);
    }
    await out.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw stateError(error, file);
  }
  return { file, sha256: dump.sha256, bytes: dump.bytes, frame_bytes: frameBytes };
}

export function openSafetyDump(safety: SafetyDump): DumpSource {
  return { bytes: () => readFrames(safety) };
}

/** Before anything is dropped in favour of it. @throws BackupError `restore_not_reverted`; the signal's reason. */
export async function checkSafetyDump(safety: SafetyDump, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  for await (const bytes of readFrames(safety)) {
    signal.throwIfAborted();
    hash.update(bytes);
  }
  if (hash.digest("hex") !== safety.sha256)
    throw damaged(safety, "its SHA-256 is not the one it was made with");
}

async function* readFrames(safety: SafetyDump): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await openDump(safety);
  let offset = 0;
  for (const length of safety.frame_bytes) {
    const frame = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await file.read(frame, 0, length, offset);
    if (bytesRead !== length) throw damaged(safety, "it ends too early");
    offset += length;
    yield await decompress(frame).catch((error: unknown) => {
      throw damaged(safety, "a frame of it cannot be decompressed", error);
    });
  }
}

async function openDump(safety: SafetyDump): Promise<FileHandle> {
  try {
    return await open(safety.file, "r");
  } catch (error) {
    throw damaged(safety, "it cannot be opened", error);
  }
}

function damaged(safety: SafetyDump, why: string, cause?: unknown): BackupError {
  return new BackupError("restore_not_reverted", {
    detail: `The dump of the database of before, ${safety.file}: ${why}`,
    hint: "Restore the database from a backup of that time: backupd restore BACKUP --only db.",
    ...(cause === undefined ? {} : { cause }),
  });
}
