// The rebuild of the Master's records as scripts/rebuild.ts has it done, against the stores of the tests.
import { openBase } from "#functions/deps.ts";
import { type RebuildReport, rebuildRecords } from "#functions/http/rebuild-records.ts";
import { openRebuildStores } from "#functions/rebuild-stores.ts";
import { hostConfig } from "./stores.ts";

export function rebuild(now: () => Date): Promise<RebuildReport> {
  const config = hostConfig();
  const invocation = { correlationId: "test", meter: { add: () => undefined } };
  return rebuildRecords({}, { ...openBase(config), ...invocation, now, ...openRebuildStores(config) });
}
