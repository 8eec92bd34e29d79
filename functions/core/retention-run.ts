// What one run of the retention does with a site: delete, or stop and say so. A stop that tells of an attack stays until
// an operator has saved the policy again; one that tells of failing backups ends with them.
import type { RetentionAlarm } from "#shared/contracts/retention.ts";
import type { Step } from "./job-state.ts";
import type { ActivityRecord, BackupRecord, SiteRecord } from "./records.ts";
import type { Judged, RetentionPlan } from "./retention.ts";
import { isSticky } from "./retention-alarms.ts";

export interface RetentionRun {
  /** Undefined when the site's record is right as it is. */
  readonly step: Step | undefined;
  readonly remove: readonly Judged<BackupRecord>[];
  readonly isStopped: boolean;
}

const ACTOR = { kind: "system", id: "retention", label: "retention" } as const;

/** Whether `at` is in the site's hour of the day. Ids are random, so the hours get equal shares. */
export function isDue(siteId: string, at: Date): boolean {
  return Number.parseInt(siteId.slice(0, 8), 16) % 24 === at.getUTCHours();
}

export function runRetention(
  site: SiteRecord,
  plan: RetentionPlan<BackupRecord>,
  alarms: readonly RetentionAlarm[],
  now: Date,
  activityId: string,
): RetentionRun {
  const before = site.retention_stop?.alarms ?? [];
  const seen = new Set(alarms.map(keyOf));
  const standing = [...before.filter((alarm) => isSticky(alarm) && !seen.has(keyOf(alarm))), ...alarms];
  const isNew = standing.some((alarm) => !before.some((known) => keyOf(known) === keyOf(alarm)));
  const { retention_stop: _stop, ...rest } = site;
  if (standing.length === 0) {
    const step = before.length === 0 ? undefined : { jobs: [], site: { before: site, after: rest } };
    return { step, remove: plan.remove, isStopped: false };
  }
  if (!isNew && standing.length === before.length) return { step: undefined, remove: [], isStopped: true };
  const stop = { at: site.retention_stop?.at ?? now.toISOString(), alarms: standing };
  const activity = {
    id: activityId,
    ...(site.tenant === undefined ? {} : { tenant: site.tenant }),
    at: now.toISOString(),
    actor: ACTOR,
    action: "retention.stopped",
    target: { kind: "site", id: site.id },
    details: { site_name: site.name, alarms: standing, would_remove: plan.remove.length },
  };
  const step = {
    jobs: [],
    site: { before: site, after: { ...rest, retention_stop: stop } },
    ...(isNew ? { activity } : {}),
  };
  return { step, remove: [], isStopped: true };
}

export function removalActivity(
  site: SiteRecord,
  { backup, reasons }: Judged<BackupRecord>,
  now: Date,
  id: string,
): ActivityRecord {
  const { created_at, size_bytes, s3_path } = backup;
  return {
    id,
    ...(site.tenant === undefined ? {} : { tenant: site.tenant }),
    at: now.toISOString(),
    actor: ACTOR,
    action: "backup.deleted",
    target: { kind: "backup", id: backup.id },
    details: {
      site_id: site.id,
      site_name: site.name,
      created_at,
      size_bytes,
      s3_path,
      reasons: [...reasons],
    },
  };
}

function keyOf({ code, backup_id: backupId }: RetentionAlarm): string {
  return `${code}/${backupId}`;
}
