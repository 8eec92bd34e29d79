// All records of the Master, and the one transaction that carries out what the job rules decided.
import type { Step } from "../core/job-state.ts";
import { type ActivityRecords, openActivityRecords } from "./activity-records.ts";
import { type AlertRecords, openAlertRecords } from "./alert-records.ts";
import { type BackupRecords, openBackupRecords } from "./backup-records.ts";
import { type ChoreRecords, openChoreRecords } from "./chore-records.ts";
import { type DeletedBackupRecords, openDeletedBackupRecords } from "./deleted-backup-records.ts";
import { type IdempotencyRecords, openIdempotencyRecords } from "./idempotency-records.ts";
import { type JobRecords, openJobRecords } from "./job-records.ts";
import { type NodeRecords, openNodeRecords } from "./node-records.ts";
import { openProviderRecords, type ProviderRecords } from "./provider-records.ts";
import { openSiteRecords, type SiteRecords } from "./site-records.ts";
import { openStorageSampleRecords, type StorageSampleRecords } from "./storage-sample-records.ts";
import { openTable } from "./table.ts";
import {
  type ApiTokenRecords,
  type EnrollmentTokenRecords,
  openApiTokenRecords,
  openEnrollmentTokenRecords,
} from "./token-records.ts";
import { transact, type WriteItem } from "./transact.ts";

export interface Records {
  readonly nodes: NodeRecords;
  readonly sites: SiteRecords;
  readonly jobs: JobRecords;
  readonly backups: BackupRecords;
  readonly deletedBackups: DeletedBackupRecords;
  readonly enrollmentTokens: EnrollmentTokenRecords;
  readonly apiTokens: ApiTokenRecords;
  readonly activity: ActivityRecords;
  readonly alerts: AlertRecords;
  readonly idempotency: IdempotencyRecords;
  readonly chores: ChoreRecords;
  readonly providers: ProviderRecords;
  readonly storageSamples: StorageSampleRecords;
  /** Writes all records of a step or none; false when one of them has changed since it was read. */
  commit(step: Step): Promise<boolean>;
  transact(items: readonly WriteItem[]): Promise<boolean>;
}

export function openRecords({ tableName }: { readonly tableName: string }): Records {
  const table = openTable(tableName);
  const nodes = openNodeRecords(table);
  const sites = openSiteRecords(table, nodes);
  const jobs = openJobRecords(table);
  const backups = openBackupRecords(table);
  const deletedBackups = openDeletedBackupRecords(table);
  const activity = openActivityRecords(table);
  return {
    nodes,
    sites,
    jobs,
    backups,
    deletedBackups,
    enrollmentTokens: openEnrollmentTokenRecords(table),
    apiTokens: openApiTokenRecords(table),
    activity,
    alerts: openAlertRecords(table),
    idempotency: openIdempotencyRecords(table),
    chores: openChoreRecords(table),
    providers: openProviderRecords(table),
    storageSamples: openStorageSampleRecords(table),
    async commit(step) {
      const items = [
        ...step.jobs.map((change) => jobs.changeItem(change)),
        ...(step.site === undefined ? [] : [sites.changeItem(step.site)]),
        ...(step.backup === undefined ? [] : [backups.createItem(step.backup)]),
        ...(step.mark === undefined ? [] : [backups.markItem(step.mark)]),
        ...(step.deleted === undefined ? [] : [backups.deleteItem(step.deleted.backup)]),
        ...(step.deleted === undefined ? [] : [deletedBackups.createItem(step.deleted)]),
        ...(step.activity === undefined ? [] : [activity.addItem(step.activity)]),
      ];
      return items.length === 0 ? true : transact(table, items);
    },
    transact: (items) => transact(table, items),
  };
}
