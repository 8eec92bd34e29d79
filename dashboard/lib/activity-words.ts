// The audit trail's stable action names as sentences; one that is new here is shown as it is.
import type { Activity } from "#shared/contracts/activity.ts";

const WORDS: Readonly<Record<string, string>> = {
  "alert_target.created": "Added an alert target",
  "alert_target.removed": "Removed an alert target",
  "alert_target.tested": "Tested an alert target",
  "api_token.created": "Made an API token",
  "api_token.revoked": "Revoked an API token",
  "backup.download_url_made": "Got a download link of a backup",
  "backup.file_downloaded": "Downloaded a file of a backup",
  "backup.deleted": "Deleted a backup",
  "backup.hold_changed": "Changed the hold of a backup",
  "backup.started": "Started a backup",
  "backup.stopped": "Stopped a backup",
  "enrollment_token.created": "Made an enrolment token",
  "enrollment_token.revoked": "Revoked an enrolment token",
  "node.changed": "Changed a node",
  "node.enrolled": "Enrolled a node",
  "node.quota_changed": "Changed a node's quota",
  "node.removed": "Removed a node",
  "restore.started": "Started a restore",
  "site.proof_changed": "Changed when a site is proved",
  "site.retention_changed": "Changed a site's retention",
  "site.retention_removed": "Keeps all of a site's backups",
  "site.changed": "Changed a site",
  "site.created": "Protected a site",
  "site.quota_changed": "Changed a site's quota",
  "site.removed": "Removed a site",
  "site.schedule_changed": "Changed a site's schedule",
};

export function actionInWords(action: string): string {
  const known = WORDS[action];
  if (known !== undefined) return known;
  const [target = "", deed = ""] = action.replaceAll("_", " ").split(".");
  return `${target} ${deed}`.trim();
}

/** The page of what was changed, where there is one that can still be there. */
export function targetLink({ action, target, details }: Activity): string | undefined {
  if (action.endsWith(".removed")) return undefined;
  if (target.kind === "site") return `/sites/${target.id}`;
  if (target.kind === "node") return `/nodes/${target.id}`;
  if (target.kind === "backup") return `/backups/${target.id}`;
  const siteId = details["site_id"];
  return target.kind === "job" && typeof siteId === "string" ? `/sites/${siteId}` : undefined;
}
