// A trial of the restored WordPress needs its restored database, and so a deep verification.
import { BackupError } from "#shared/errors.ts";

/** @throws BackupError `invalid_request`. */
export function checkBoot({ deep, boot }: { readonly deep: boolean; readonly boot: boolean }): void {
  if (deep || !boot) return;
  const message = "needs deep";
  throw new BackupError("invalid_request", {
    detail: `boot ${message}.`,
    data: { issues: [{ path: "boot", message }] },
  });
}
