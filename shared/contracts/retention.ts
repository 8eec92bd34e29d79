// Which backups of a site stay: the policy that an operator writes, and what it would do, with reasons.
import * as z from "zod";
import { Bytes, Id, Timestamp } from "./common.ts";

const Keep = z.int().min(0).max(10_000).default(0);

const Fields = z.strictObject({
  keep_last: Keep.describe("So many newest backups"),
  keep_daily: Keep.describe("The newest of each of the last so many days (UTC) that have one"),
  keep_weekly: Keep.describe("The same by ISO week"),
  keep_monthly: Keep.describe("The same by month"),
  keep_yearly: Keep.describe("The same by year"),
  min_keep: z.int().min(1).max(10_000).default(3).describe("Never fewer than so many good backups"),
});

/** A policy without any keep rule is more likely a mistake than a wish. */
export const Retention = Fields.refine(
  (policy) => Object.entries(policy).some(([name, count]) => name !== "min_keep" && count > 0),
  "needs at least one of keep_last, keep_daily, keep_weekly, keep_monthly and keep_yearly",
);
export type Retention = z.infer<typeof Retention>;

/** A policy to try; without any, the site's own. */
export const RetentionQuery = z.strictObject(
  Object.fromEntries(
    Object.keys(Fields.shape).map((name) => [name, z.coerce.number().int().min(0).max(10_000).optional()]),
  ) as Record<keyof z.infer<typeof Fields>, z.ZodOptional<z.ZodCoercedNumber>>,
);

export const RetentionAlarm = z.object({
  code: z.enum([
    "backups_failing",
    "newest_damaged",
    "size_jumped",
    "entropy_jumped",
    "much_changed",
    "looks_encrypted",
    "would_empty",
  ]),
  message: z.string(),
  backup_id: Id.nullable(),
});
export type RetentionAlarm = z.infer<typeof RetentionAlarm>;

/** The retention deletes nothing of a site while it has one of these. */
export const RetentionStop = z.object({ at: Timestamp, alarms: z.array(RetentionAlarm) });

const Judged = z.object({
  backup_id: Id,
  created_at: Timestamp,
  size_bytes: Bytes,
  reasons: z.array(z.string()).min(1),
});

export const RetentionPreview = z.object({
  site_id: Id,
  policy: Fields,
  /** While there are some, nothing is deleted. */
  alarms: z.array(RetentionAlarm),
  keep: z.array(Judged),
  remove: z.array(Judged),
  freed_bytes: Bytes,
});
export type RetentionPreview = z.infer<typeof RetentionPreview>;
