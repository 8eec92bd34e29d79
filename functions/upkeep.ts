// What the comparisons of records, storage and AWS have found; schedules and queues also on an operator's request.
import { repairDrift } from "./http/repair-drift.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";
import { openSchedules } from "./stores/schedules.ts";

const BUDGET_MS = 20_000;

export const handler: ApiHandler = serve(
  { records: openRecords, schedules: openSchedules, queues: openQueues },
  {
    async checkDrift({ body, activity }, deps) {
      const endsAt = deps.now().getTime() + BUDGET_MS;
      const hasTime = (): boolean => deps.now().getTime() < endsAt;
      const report = await repairDrift({ isDryRun: body.dry_run, isDue: () => true, hasTime }, deps);
      activity.target = { kind: "drift", id: "schedules" };
      activity.details = { dry_run: body.dry_run, ...report.counts };
      return report;
    },

    async getUpkeep(_request, { records }) {
      const [storage, drift] = await Promise.all([
        records.chores.last("reconcile"),
        records.chores.last("drift"),
      ]);
      return { storage: storage ?? null, drift: drift ?? null };
    },
  },
);
