// The stages of jobs in an operator's words, and those of a backup in the order they run.
import type { Stage } from "#shared/contracts/jobs.ts";

export const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  preflight: "Checking the site",
  quota: "Quota",
  dump: "Database",
  plan: "Comparing",
  archive: "Packing and uploading",
  complete: "Completing",
  read: "Reading the archive",
  extract: "Extracting",
  safety: "Saving the present database",
  swap: "Swapping the files in",
  import: "Importing the database",
  url: "Changing the address",
  compare: "Comparing with the backup",
  boot: "Starting WordPress",
  check: "Checking the site's answer",
  undo: "Putting back what was there",
  report: "Reporting",
  cleanup: "Cleaning up",
};

export const STAGE_ORDER: readonly Stage[] = [
  "preflight",
  "quota",
  "dump",
  "plan",
  "archive",
  "complete",
  "report",
  "cleanup",
];
