// The directory that is filled: opened once, so that whatever happens to its name, all that is written goes there.
import { closeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { BackupError } from "#shared/errors.ts";
import { type ByteString, fromUtf8, toBytes } from "../../plan/byte-string.ts";
import { openDirectory } from "../open-directory.ts";

export interface OpenTarget extends Disposable {
  /** A path of it for this process' threads, good while this is open. */
  readonly prefix: ByteString;
}

/** @throws BackupError `restore_target_unusable`. */
export async function openEmptyTarget(path: string): Promise<OpenTarget> {
  try {
    const { fd, prefix } = openDirectory(fromUtf8(path));
    const target = { prefix: `${prefix}/.`, [Symbol.dispose]: () => closeSync(fd) };
    if ((await readdir(toBytes(target.prefix))).length === 0) return target;
    target[Symbol.dispose]();
  } catch (cause) {
    const { code = "no code" } = cause as NodeJS.ErrnoException;
    throw new BackupError("restore_target_unusable", { detail: `${path}: ${code}`, cause });
  }
  throw new BackupError("restore_target_unusable", { detail: `${path} is not empty` });
}
