// Exchanges two names in one step, which node:fs cannot: renameat2(2) with RENAME_EXCHANGE, from the C library (glibc has
// it since 2.28). Whoever looks a name up meanwhile finds the one thing or the other.
import { createRequire } from "node:module";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import type { SystemPath } from "../../plan/byte-string.ts";

/** <linux/fcntl.h>: relative paths begin at the working directory; ours are absolute. */
const AT_FDCWD = -100;
/** <linux/fs.h> */
const RENAME_EXCHANGE = 2;
/** What it says where the kernel or the file system does not know it (NFS, for instance). */
const UNKNOWN_HERE: ReadonlySet<number> = new Set([
  constants.errno.EINVAL,
  constants.errno.ENOSYS,
  constants.errno.EOPNOTSUPP,
]);

/** Both paths: absolute. False where that cannot be done; throws as rename(2) does. */
export type ExchangeNames = (one: SystemPath, two: SystemPath) => boolean;

let exchange: ExchangeNames | undefined;

export const exchangeNames: ExchangeNames = (one, two) => {
  exchange ??= openExchange();
  return exchange(one, two);
};

function openExchange(): ExchangeNames {
  const cannot = (): boolean => false;
  if (process.platform !== "linux") return cannot;
  let koffi: typeof import("koffi");
  let renameat2: (...args: unknown[]) => unknown;
  try {
    // Only a restore needs it; a backup would carry 1 MB of it for nothing.
    koffi = createRequire(import.meta.url)("koffi");
    renameat2 = koffi
      .load(null)
      .func("int renameat2(int, const uint8_t *, int, const uint8_t *, unsigned int)");
  } catch {
    return cannot; // No koffi for this processor, or a C library without the call: a restore works without it, too.
  }
  return (one, two) => {
    if (renameat2(AT_FDCWD, terminated(one), AT_FDCWD, terminated(two), RENAME_EXCHANGE) === 0) return true;
    const errno = koffi.errno();
    if (UNKNOWN_HERE.has(errno)) return false;
    const code = getSystemErrorName(-errno);
    throw Object.assign(new Error(`${code}: cannot exchange two names`), {
      code,
      errno: -errno,
      syscall: "renameat2",
    });
  };
}

function terminated(path: SystemPath): Buffer {
  return Buffer.concat([Buffer.from(path), Buffer.alloc(1)]);
}
