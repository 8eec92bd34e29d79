// What a verification measured and found, in the words of the Master.
import type { VerificationReport, VerifyResult } from "#shared/contracts/restores.ts";
import type { BootOutcome } from "./plan/proof/boot-outcome.ts";
import type { VerifiedBackup } from "./verify.ts";

const MAX_FINDINGS = 200;

/** Of a verification by hand. */
export function verificationReport(verified: VerifiedBackup, deep: boolean): VerificationReport {
  const findings = verified.findings.slice(0, MAX_FINDINGS);
  if (findings.length > 0) return { status: "failed", deep, findings };
  return { status: "good", verify: resultOf(verified) };
}

function bootOf(
  boot: BootOutcome | undefined,
): Pick<VerifyResult, "boot_status" | "boot_seconds" | "boot_skipped"> {
  const none = { boot_status: null, boot_seconds: null, boot_skipped: null };
  if (boot === undefined) return none;
  return boot.kind === "booted"
    ? { ...none, boot_status: boot.status, boot_seconds: boot.seconds }
    : { ...none, boot_skipped: boot.why };
}

export function resultOf(verified: VerifiedBackup): VerifyResult {
  const { bytesRead, requests, files, filesBytes, dbBytes, tables, frames, entries, proof } = verified;
  return {
    bytes_downloaded: bytesRead,
    requests,
    files,
    files_bytes: filesBytes,
    db_bytes: dbBytes,
    tables,
    deep: proof !== undefined,
    frames,
    entries,
    rows: proof?.rows ?? null,
    restore_seconds: proof?.restoreSeconds ?? null,
    ...bootOf(proof?.boot),
  };
}
