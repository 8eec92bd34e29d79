// The calls that compare the records with the storage and with AWS; part of the table in operations.ts.
import {
  CheckDrift,
  DriftReport,
  ReconcileStorage,
  StorageQuery,
  StorageReport,
  StorageSummary,
  UpkeepReports,
} from "./contracts/upkeep.ts";
import type { Operation } from "./operations.ts";

export const UPKEEP_OPERATIONS = {
  reconcileStorage: {
    method: "POST",
    path: "/storage/reconcile",
    access: "admin",
    summary: "Compare records and storage in both directions; nothing in the storage is ever deleted",
    body: ReconcileStorage,
    status: 200,
    answer: StorageReport,
    activity: "storage.reconciled",
    fleetWide: true,
  },
  getStorageSummary: {
    method: "GET",
    path: "/storage/summary",
    access: "viewer",
    summary: "What the backups use now, the nodes and sites that use the most, and a sample for each day",
    query: StorageQuery,
    status: 200,
    answer: StorageSummary,
    fleetWide: true,
  },
  checkDrift: {
    method: "POST",
    path: "/upkeep/drift",
    access: "admin",
    summary: "Compare sites and nodes with their schedules and queues, and repair them if asked to",
    body: CheckDrift,
    status: 200,
    answer: DriftReport,
    activity: "drift.checked",
    fleetWide: true,
  },
  getUpkeep: {
    method: "GET",
    path: "/upkeep",
    access: "viewer",
    summary: "What the last comparisons found and did",
    status: 200,
    answer: UpkeepReports,
    fleetWide: true,
  },
} as const satisfies Record<string, Operation>;
