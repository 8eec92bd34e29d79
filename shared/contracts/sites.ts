// A WordPress site: where it lies on its node, when it is backed up, and how much it may use.
import * as z from "zod";
import { Bytes, Id, SiteName, Tenant, Timestamp } from "./common.ts";
import { JobState } from "./jobs.ts";
import { Retention, RetentionStop } from "./retention.ts";
import { DEFAULT_PROVIDER, ProviderId } from "./storage.ts";

/** An absolute POSIX path, already normal: what the operator wrote is what root will read. */
export const SitePath = z
  .string()
  .min(2)
  .max(4096)
  .regex(/^(?:\/[^/\p{Cc}]+)+$/u, "must be an absolute path without // or a slash at the end")
  .refine(
    (path) => !path.split("/").some((part) => part === "." || part === ".."),
    "must not have . or .. in it",
  );

export const Schedule = z.strictObject({
  /** EventBridge Scheduler syntax: `rate(1 day)`, `cron(0 3 * * ? *)`, `at(2027-01-31T03:00:00)`. */
  expression: z.string().min(1).max(256),
  time_zone: z.string().min(1).max(50).default("UTC"),
  /** Spreads the start over this window, so that a fleet does not start at once. */
  flexible_minutes: z.int().min(0).max(1440).default(15),
  enabled: z.boolean().default(true),
});
export type Schedule = z.infer<typeof Schedule>;

/** When the site's newest backup is verified; deep, it is a proof. */
export const ProofSchedule = Schedule.extend({
  deep: z.boolean().default(true).describe("Import the dump into a throw-away server and compare everything"),
  boot: z
    .boolean()
    .default(false)
    .describe("With deep: also run the restored WordPress and ask for its front page"),
});
export type ProofSchedule = z.infer<typeof ProofSchedule>;

export const ExcludeGlob = z.string().min(1).max(500);

export const CreateSite = z.strictObject({
  node_id: Id,
  name: SiteName,
  path: SitePath,
  tenant: Tenant.optional().describe("The node's, if it has one"),
  schedule: Schedule.optional(),
  quota_bytes: Bytes.nullable().default(null),
  exclude: z.array(ExcludeGlob).max(100).default([]).describe("Globs relative to wp-content"),
  storage_provider_id: ProviderId.default(DEFAULT_PROVIDER).describe(
    "Where its archives go; another than the default one needs the role admin",
  ),
});
export type CreateSite = z.infer<typeof CreateSite>;

export const PatchSite = z.strictObject({
  name: SiteName.optional(),
  path: SitePath.optional(),
  state: z.enum(["active", "paused"]).optional(),
  tenant: Tenant.nullable()
    .optional()
    .describe("For operators of the whole fleet: moves the site, its jobs and backups"),
  exclude: z.array(ExcludeGlob).max(100).optional(),
  storage_provider_id: ProviderId.optional().describe(
    "Where its next archives go; older ones stay where they are. Needs the role admin",
  ),
});
export type PatchSite = z.infer<typeof PatchSite>;

/** How many days `recent_days` looks back. */
export const RECENT_DAYS = 30;

/** One letter per day (UTC), the last one is `until`'s: s = backed up, f = only failures, m = both, - = no backup ended. */
export const RecentDays = z.object({
  until: z.iso.date(),
  outcomes: z.string().regex(new RegExp(`^[sfm-]{${RECENT_DAYS}}$`)),
});
export type RecentDays = z.infer<typeof RecentDays>;

/** How the site's last backup job ended, whatever came of it. */
export const LastJob = z.object({
  id: Id,
  state: JobState,
  ended_at: Timestamp,
  code: z.string().nullable(),
});
export type LastJob = z.infer<typeof LastJob>;

export const Site = z.object({
  id: Id,
  node_id: Id,
  name: SiteName,
  path: z.string(),
  state: z.enum(["active", "paused"]),
  tenant: Tenant.nullable(),
  created_at: Timestamp,
  schedule: Schedule.nullable(),
  proof: ProofSchedule.nullable(),
  retention: Retention.nullable().describe("Which backups stay; null = all"),
  retention_stop: RetentionStop.nullable().describe("Why nothing is deleted until somebody has looked"),
  quota_bytes: Bytes.nullable(),
  exclude: z.array(ExcludeGlob),
  storage_provider_id: ProviderId,
  active_job_id: Id.nullable(),
  last_backup_id: Id.nullable(),
  last_backup_at: Timestamp.nullable(),
  last_backup_bytes: Bytes.nullable(),
  last_proved_at: Timestamp.nullable().describe("When one of its backups was last proved to restore"),
  last_job: LastJob.nullable(),
  recent_days: RecentDays.nullable(),
});
export type Site = z.infer<typeof Site>;

/** A site as its node sees it in `nodes/config`. */
export const NodeSite = Site.pick({ id: true, name: true, path: true, state: true, exclude: true });
export type NodeSite = z.infer<typeof NodeSite>;

export const PutQuota = z.strictObject({ quota_bytes: Bytes.nullable() });

export const QuotaCheck = z.object({
  site_id: Id,
  can_proceed: z.boolean(),
  used_bytes: Bytes,
  quota_bytes: Bytes.nullable(),
  estimated_bytes: Bytes.describe("The size of the last good backup; 0 before the first"),
  projected_bytes: Bytes,
  node_used_bytes: Bytes.nullable().describe("Null for a tenant whose site shares its node"),
  node_quota_bytes: Bytes.nullable(),
  would_exceed_site_quota: z.boolean(),
  would_exceed_node_quota: z.boolean(),
  reason: z.string().nullable(),
});
export type QuotaCheck = z.infer<typeof QuotaCheck>;
