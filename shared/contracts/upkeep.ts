// What keeps the records, the storage and AWS in step: comparisons, what they found and what they did about it.
import * as z from "zod";
import { Bytes, ErrorReport, Id, Timestamp } from "./common.ts";
import { DEFAULT_PROVIDER, ProviderId } from "./storage.ts";

const Count = z.int().min(0);

/** Nothing is changed unless asked for. */
export const DryRun = z.boolean().default(true).describe("true: say what would be done, and change nothing");

export const STORAGE_FINDINGS = [
  "missing",
  "changed",
  "returned",
  "adopted",
  "adoptable",
  "waiting",
  "deleted",
  "refused",
  "unknown",
] as const;
export const StorageFindingKind = z
  .enum(STORAGE_FINDINGS)
  .describe(
    [
      "missing: a backup without its object",
      "changed: a backup whose object is another one now",
      "returned: one of those that is right again",
      "adopted, adoptable: an archive on no record that was, or would be, recorded",
      "waiting: one that is too new, or whose job may still report it",
      "deleted: the object of a deleted backup",
      "refused: an object with a backup's name that is none",
      "unknown: any other object",
    ].join("; "),
  );
export type StorageFindingKind = z.infer<typeof StorageFindingKind>;

export const StorageFinding = z.object({
  kind: StorageFindingKind,
  // Reports of before there was more than one storage are still shown.
  provider_id: ProviderId.default(DEFAULT_PROVIDER).describe("The storage that it is about"),
  key: z.string(),
  site_id: Id.nullable(),
  backup_id: Id.nullable(),
  size_bytes: Bytes.nullable().describe("Of the object, or of the record where there is none"),
  detail: z.string(),
});
export type StorageFinding = z.infer<typeof StorageFinding>;

const Compared = { backups: Count, objects: Count, objects_bytes: Bytes };

export const ComparedStorage = z.object({
  provider_id: ProviderId,
  name: z.string().nullable().describe("null: it is not on record, but backups are said to lie there"),
  sites: Count,
  ...Compared,
  error: ErrorReport.nullable().describe(
    "Why it was not compared, or not to its end; what was not looked at does not count as missing",
  ),
});
export type ComparedStorage = z.infer<typeof ComparedStorage>;

export const StorageReport = z.object({
  at: Timestamp,
  dry_run: z.boolean(),
  sites: Count.describe("Compared, the removed ones included; in each storage that they have ever used"),
  ...Compared,
  storages: z.array(ComparedStorage).default([]).describe("Which this run came to"),
  failed_sites: Count.describe("Which could not be compared; the log says why"),
  counts: z.partialRecord(StorageFindingKind, Count),
  findings: z.array(StorageFinding).describe("The first of each kind"),
  next_cursor: z.string().nullable().describe("There was no time for the rest: go on with this"),
});
export type StorageReport = z.infer<typeof StorageReport>;

export const ReconcileStorage = z.strictObject({
  dry_run: DryRun,
  cursor: z
    .string()
    .max(111)
    .regex(
      /^([0-9a-f-]{36}:)?[0-9a-f-]{36}\/[0-9a-f-]{36}\/$|^[0-9a-f-]{36}:$/,
      "is not a cursor of this call",
    )
    .optional(),
});

export const DRIFT_KINDS = [
  "schedule_missing",
  "schedule_wrong",
  "schedule_stray",
  "schedule_unknown",
  "queue_missing",
  "queue_wrong",
  "queue_stray",
  "queue_unknown",
] as const;
export const DriftKind = z
  .enum(DRIFT_KINDS)
  .describe(
    "missing: made; wrong: set right; stray: of a site or node that was removed, deleted; unknown: of none on record, left alone",
  );
export type DriftKind = z.infer<typeof DriftKind>;

export const DriftFinding = z.object({
  kind: DriftKind,
  name: z.string().describe("Of the schedule or the queue"),
  detail: z.string(),
  error: z.string().nullable().describe("Why it could not be repaired"),
});
export type DriftFinding = z.infer<typeof DriftFinding>;

export const DriftReport = z.object({
  at: Timestamp,
  dry_run: z.boolean(),
  schedules: Count,
  queues: Count,
  counts: z.partialRecord(DriftKind, Count),
  findings: z.array(DriftFinding).describe("The first of each kind"),
  finished: z.boolean(),
});
export type DriftReport = z.infer<typeof DriftReport>;

export const CheckDrift = z.strictObject({ dry_run: DryRun });

const Use = { bytes: Bytes, backups: Count };

export const StorageSummary = z.object({
  at: Timestamp,
  total: z.object(Use),
  nodes: z.array(z.object({ node_id: Id, name: z.string().nullable(), ...Use })).describe("The largest"),
  sites: z
    .array(z.object({ site_id: Id, node_id: Id.nullable(), name: z.string().nullable(), ...Use }))
    .describe("The largest"),
  providers: z.array(z.object({ provider_id: z.string(), ...Use })).describe("All, the largest first"),
  days: z.array(z.object({ date: z.iso.date(), ...Use })).describe("One sample a day, the oldest first"),
});
export type StorageSummary = z.infer<typeof StorageSummary>;

export const StorageQuery = z.strictObject({
  top: z.coerce.number().int().min(1).max(100).default(10).describe("How many nodes and sites"),
  days: z.coerce.number().int().min(1).max(1000).default(90),
});

export const UpkeepReports = z.object({
  storage: StorageReport.nullable().describe("Of the daily comparison of records and storage"),
  drift: DriftReport.nullable().describe("Of the hourly comparison of records with schedules and queues"),
});
export type UpkeepReports = z.infer<typeof UpkeepReports>;
