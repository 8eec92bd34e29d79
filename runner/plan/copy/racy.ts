// Git's "racily clean" rule for files: if a file was read so soon after its last change that a further write could
// have left the same timestamps, its stat proves nothing and the next backup must read it again.
import { type EntryStat, FLAG_RACY } from "#shared/format/index-entry.ts";

/** Covers the coarsest clock in use (FAT and old NFS servers: 2 s; Linux' own file systems: 10 ms). */
export const RACY_WINDOW_NS = 2_000_000_000n;

/**
 * The flag for an entry whose reading started at `readStartedNs` (node clock, ns since 1970).
 * A ctime in the future means that a clock was set back and is never trusted. An mtime far in the future is harmless:
 * anybody may set one, and a later write still shows in ctime.
 */
export function racyFlag(
  stat: Pick<EntryStat, "type" | "mtimeNs" | "ctimeNs">,
  readStartedNs: bigint,
  windowNs: bigint = RACY_WINDOW_NS,
): number {
  if (stat.type !== "f") return 0;
  const sinceWrite = readStartedNs - stat.mtimeNs;
  const close = sinceWrite < windowNs && sinceWrite > -windowNs;
  return close || readStartedNs - stat.ctimeNs < windowNs ? FLAG_RACY : 0;
}
