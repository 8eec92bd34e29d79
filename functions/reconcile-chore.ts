// Once a day: compares all records with all objects, notes what is missing, and records what lies there unrecorded. A run
// that had no time for everything is gone on with by the next.
import type { StorageReport } from "#shared/contracts/upkeep.ts";
import { failureOf } from "./core/storage-report.ts";
import { lazyDeps } from "./deps.ts";
import { reconcileStorage } from "./http/reconcile-storage.ts";
import { openRecords } from "./stores/records.ts";
import { openStorages } from "./stores/storages.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

const SPARE_MS = 30_000;

export const handler: Observed<object, StorageReport> = chore(
  "reconcile",
  lazyDeps({ records: openRecords, storages: openStorages }),
  async (_event, deps, context) => {
    const hasTime = (): boolean => context.getRemainingTimeInMillis() > SPARE_MS;
    const cursor = (await deps.records.chores.last("reconcile"))?.next_cursor ?? undefined;
    const report = await reconcileStorage({ isDryRun: false, cursor, hasTime }, deps);
    await deps.records.chores.save("reconcile", report);
    // Only now, so that what was done is on record: the alarm is for errors.
    const failure = failureOf(report);
    if (failure !== undefined) throw new Error(failure);
    return report;
  },
);
