// What a site's retention would do now, from its records: the preview shows it, the chore does it.
import type { Retention, RetentionAlarm } from "#shared/contracts/retention.ts";
import type { BackupRecord, SiteRecord } from "../core/records.ts";
import { planRetention, type RetentionPlan } from "../core/retention.ts";
import { retentionAlarms } from "../core/retention-alarms.ts";
import type { Deps } from "../deps.ts";
import { jobsOfSite } from "./site-jobs.ts";

export interface SiteRetention {
  readonly plan: RetentionPlan<BackupRecord>;
  readonly alarms: readonly RetentionAlarm[];
}

export async function planSiteRetention(
  site: SiteRecord,
  policy: Retention,
  deps: Deps<"records">,
): Promise<SiteRetention> {
  const now = deps.now();
  const [backups, { lastBackup }] = await Promise.all([
    deps.records.backups.ofSite(site.node_id, site.id),
    jobsOfSite(site, now, deps),
  ]);
  const plan = planRetention(policy, backups, now);
  const acceptedAt = site.retention_accepted_at;
  return { plan, alarms: retentionAlarms({ backups, lastJob: lastBackup, acceptedAt, plan }) };
}
