// Every hour: puts schedules and queues back to what the records say. Whether they are there is looked at each time; all
// their settings of a part of the sites and nodes, so that each comes once a day.
import type { EventBridgeEvent } from "aws-lambda";
import type { DriftReport } from "#shared/contracts/upkeep.ts";
import { isDue } from "./core/retention-run.ts";
import { lazyDeps } from "./deps.ts";
import { repairDrift } from "./http/repair-drift.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";
import { openSchedules } from "./stores/schedules.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

const SPARE_MS = 30_000;

export const handler: Observed<Pick<EventBridgeEvent<string, unknown>, "time">, DriftReport> = chore(
  "drift",
  lazyDeps({ records: openRecords, schedules: openSchedules, queues: openQueues }),
  async (event, deps, context) => {
    const at = new Date(event.time);
    const hasTime = (): boolean => context.getRemainingTimeInMillis() > SPARE_MS;
    const report = await repairDrift({ isDryRun: false, isDue: (id) => isDue(id, at), hasTime }, deps);
    await deps.records.chores.save("drift", report);
    const broken = report.findings.filter(({ error }) => error !== null);
    if (broken.length > 0) throw new Error(`${broken.length} schedules or queues could not be repaired.`);
    return report;
  },
);
