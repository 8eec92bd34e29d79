// What a verification found, in an operator's words. Pure.
import type { VerifyResult } from "#shared/contracts/restores.ts";
import { count, duration } from "./format.ts";

export function checkedInWords(found: VerifyResult): string {
  const { frames, entries, rows, tables, restore_seconds: restoreSeconds } = found;
  const imported = rows === null ? "" : `, ${count(rows, "row")} in ${count(tables, "table")} imported`;
  const took = restoreSeconds === null ? "" : ` A whole restore took ${duration(restoreSeconds)}.`;
  return `${count(frames, "frame")} and ${count(entries, "entry", "entries")} checked${imported}.${took}`;
}

type Boot = Pick<VerifyResult, "boot_status" | "boot_seconds" | "boot_skipped">;

/** Undefined if nobody asked for it. */
export function bootInWords({
  boot_status: status,
  boot_seconds: seconds,
  boot_skipped: why,
}: Boot): string | undefined {
  if (why !== null) return `WordPress was not started: ${why.replace(/\.$/, "")}.`;
  if (status === null) return undefined;
  const took = seconds === null ? "" : ` in ${duration(seconds)}`;
  if (status === 200) return `The restored WordPress answered for its front page${took}.`;
  // Anything worse fails the proof.
  return `The restored WordPress answered ${status} for its front page${took}: it leads elsewhere.`;
}
