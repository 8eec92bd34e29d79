// npm run rebuild: the records again, after the table was lost (docs/OPERATIONS.md, "Lose the table"). Works with the
// environment of a function of the Master and the credentials of whoever runs it; said twice it goes on.
import { parseArgs } from "node:util";
import { parseConfig } from "#functions/config.ts";
import { openBase } from "#functions/deps.ts";
import { type RebuildReport, rebuildRecords } from "#functions/http/rebuild-records.ts";
import { repairDrift } from "#functions/http/repair-drift.ts";
import { openRebuildStores } from "#functions/rebuild-stores.ts";
import { openSchedules } from "#functions/stores/schedules.ts";
import { runMain } from "./setup.mjs";
import { SetupError } from "./setup-error.mjs";

const HELP = `Use: npm run rebuild [-- --manifest YYYY-MM-DD]
Its environment is that of the function driftChore: docs/OPERATIONS.md says how to get it.`;

await runMain(async () => {
  const manifest = readOptions();
  const config = parseConfig(process.env);
  const deps = {
    ...openBase(config),
    correlationId: "rebuild",
    meter: { add: () => undefined },
    ...openRebuildStores(config),
    schedules: openSchedules(config),
  };
  console.log(`Rebuilding ${config.tableName} from ${config.bucketName}.`);
  const onProgress = ({ backups, sites }: RebuildReport): void => {
    console.log(`  ${backups} backups so far, ${sites} sites`);
  };
  const report = await rebuildRecords({ manifest, onProgress }, deps);
  tell(report);
  const drift = await repairDrift({ isDryRun: false, isDue: () => true, hasTime: () => true }, deps);
  console.log(`Schedules and queues: ${JSON.stringify(drift.counts)}`);
  return 0;
});

function readOptions(): string | undefined {
  try {
    return parseArgs({ options: { manifest: { type: "string" } } }).values.manifest;
  } catch (error) {
    throw new SetupError(`${(error as Error).message}\n${HELP}`);
  }
}

function tell(report: RebuildReport): void {
  const from = report.manifest === null ? "There is no manifest" : `From the manifest of ${report.manifest}`;
  const { providers, nodes, sites, backups } = report;
  console.log(`${from}: ${providers} storages, ${nodes} nodes, ${sites} sites. ${backups} backups recorded.`);
  for (const { id, name, why } of report.left_providers) {
    console.log(`Archives in the storage ${name} are not on record yet: ${why}`);
    console.log(`  Set it right (PATCH /api/v1/storage/providers/${id}), test it, and run this again.`);
  }
  for (const id of report.unknown_nodes) {
    console.log(`No manifest has node ${id}: enrol it with a token for that node_id.`);
  }
  for (const id of report.unknown_sites) {
    console.log(`No manifest has site ${id}: it is paused; give it its path and schedule, then resume it.`);
  }
  for (const { key, why } of report.refused) console.log(`Left alone: ${key}: ${why}`);
}
