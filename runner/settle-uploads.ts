// What becomes of uploads that no job works on: one that was completed right before its runner died is reported, one
// that can be gone on with stays open for the next attempt, and every other is aborted.
import type { SuccessReport } from "#shared/contracts/backups.ts";
import type { Clock } from "./clock.ts";
import type { LedgerHead } from "./io/ledger-head.ts";
import type { Log } from "./io/log.ts";
import type { Outbox } from "./io/outbox.ts";
import type { UploadJournal } from "./io/upload-journal.ts";
import { isTooOld } from "./plan/resume.ts";

/** What the storage knows of an upload: it is still open, it became the object of that report, or neither. */
export type UploadFate =
  | { readonly kind: "open" }
  | { readonly kind: "completed"; readonly report: SuccessReport }
  | { readonly kind: "gone" };

export interface SettleUploadsDeps {
  readonly uploads: UploadJournal;
  readonly abortUpload: (ledger: LedgerHead) => Promise<void>;
  readonly uploadFate: (ledger: LedgerHead) => Promise<UploadFate>;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
}

/** Calls the storage only where there is something to do; what fails stays for the next time. */
export async function settleUploads(stop: AbortSignal, deps: SettleUploadsDeps): Promise<void> {
  const { uploads, outbox, log } = deps;
  const seenSites = new Set<string>();
  let reports = 0;
  for (const ledger of await uploads.left()) {
    const { job_id, site_id, key } = ledger.opened;
    // A site's older one is superseded by the newest.
    const isSuperseded = seenSites.has(site_id);
    seenSites.add(site_id);
    try {
      if (await settle(ledger, isSuperseded, deps)) reports += 1;
    } catch (error) {
      log.warn("upload.not_settled", { job_id, key, error });
    }
  }
  // Before anything is claimed: the Master must not hand out again what is done.
  if (reports > 0) {
    await outbox.flush(stop).catch((error: unknown) => {
      log.warn("outbox.flush_failed", { error });
    });
  }
}

/** Where an upload of that site is open that the next attempt can go on with. */
export async function resumePath(
  siteId: string,
  { uploads, clock }: Pick<SettleUploadsDeps, "uploads" | "clock">,
): Promise<string | undefined> {
  const [newest] = (await uploads.left()).filter(({ opened }) => opened.site_id === siteId);
  return newest === undefined || !isWanted(newest, clock.now()) ? undefined : `/${newest.opened.key}`;
}

function isWanted({ opened, hasParts, isAbandoned }: LedgerHead, now: Date): boolean {
  return hasParts && !isAbandoned && !isTooOld(opened.opened_at, now);
}

/** Whether there is a report now. */
async function settle(ledger: LedgerHead, isSuperseded: boolean, deps: SettleUploadsDeps): Promise<boolean> {
  const { uploads, outbox, clock, log } = deps;
  const { job_id, key } = ledger.opened;
  const fate: UploadFate = ledger.reports.length > 0 ? await deps.uploadFate(ledger) : { kind: "open" };
  if (fate.kind === "open" && isWanted(ledger, clock.now()) && !isSuperseded) return false;
  if (fate.kind === "completed") await outbox.put({ type: "backup", jobId: job_id, report: fate.report });
  else if (fate.kind === "open") await deps.abortUpload(ledger);
  await uploads.drop(job_id);
  const event = { completed: "upload.report_found", open: "upload.aborted", gone: "upload.gone" }[fate.kind];
  log.warn(event, { job_id, key });
  return fate.kind === "completed";
}
