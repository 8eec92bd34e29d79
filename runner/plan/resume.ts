// When an upload that was cut short is worth going on with.
import { BackupError } from "#shared/errors.ts";
import { RESUMABLE_MS } from "#shared/upload-life.ts";

/** Part numbers above it are left for what has to be sent anew. */
const LAST_NUMBER = 8_000;

/** Whether another attempt may go on where `error` has ended one. */
export function mayGoOn(error: unknown): boolean {
  if (!(error instanceof BackupError)) return true;
  // Whoever has the lease now, or will have it, goes on.
  return error.retry !== "never" || error.code === "lease_lost";
}

export function isTooOld(openedAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(openedAt) > RESUMABLE_MS;
}

export function hasNumbersLeft(lastNumber: number): boolean {
  return lastNumber <= LAST_NUMBER;
}
