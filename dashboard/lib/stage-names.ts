// The stages of a backup in an operator's words, in the order they run.
import type { Stage } from "#shared/contracts/jobs.ts";

export const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  preflight: "Checking the site",
  quota: "Quota",
  dump: "Database",
  plan: "Comparing",
  archive: "Packing and uploading",
  complete: "Completing",
  report: "Reporting",
  cleanup: "Cleaning up",
};

export const STAGE_ORDER: readonly Stage[] = Object.keys(STAGE_NAMES) as Stage[];
