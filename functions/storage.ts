// The storage as a whole, on an operator's request.

import { FLEET, sumUse, topUsers } from "./core/storage-use.ts";
import { readInventory } from "./http/read-inventory.ts";
import { reconcileStorage } from "./http/reconcile-storage.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { openStorages } from "./stores/storages.ts";

/** API Gateway waits no longer than 30 seconds; the caller goes on with the cursor. */
const BUDGET_MS = 15_000;
/** A storage that does not answer takes up to 20 seconds to be given up. */
const BEGIN_MS = 5_000;

export const handler: ApiHandler = serve(
  { records: openRecords, storages: openStorages },
  {
    async reconcileStorage({ body, activity }, deps) {
      const startedAt = deps.now().getTime();
      const isWithin = (ms: number): boolean => deps.now().getTime() < startedAt + ms;
      const [hasTime, mayBegin] = [() => isWithin(BUDGET_MS), () => isWithin(BEGIN_MS)];
      const { dry_run: isDryRun, cursor } = body;
      const report = await reconcileStorage({ isDryRun, cursor, hasTime, mayBegin }, deps);
      activity.target = { kind: "storage", id: "archives" };
      activity.details = { dry_run: isDryRun, ...report.counts };
      return report;
    },

    async getStorageSummary({ query: { top, days } }, deps) {
      const now = deps.now();
      const first = new Date(now.getTime() - (days - 1) * 86_400_000).toISOString().slice(0, 10);
      const [inventory, samples] = await Promise.all([
        readInventory(deps),
        deps.records.storageSamples.since(FLEET, first),
      ]);
      const use = sumUse(inventory.backups);
      return { at: now.toISOString(), total: use.total, ...topUsers(use, inventory, top), days: samples };
    },
  },
);
