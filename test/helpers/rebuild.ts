// The rebuild of the Master's records as scripts/rebuild.ts has it done, against the stores of the tests.
import { openBase } from "#functions/deps.ts";
import { type RebuildReport, rebuildRecords } from "#functions/http/rebuild-records.ts";
import { openManifests } from "#functions/stores/manifests.ts";
import { openObjectList } from "#functions/stores/object-list.ts";
import { openOwnObjects } from "#functions/stores/objects.ts";
import { openQueues } from "#functions/stores/queues.ts";
import { openRecords } from "#functions/stores/records.ts";
import { openStorages } from "#functions/stores/storages.ts";
import { hostConfig } from "./stores.ts";

export function rebuild(now: () => Date): Promise<RebuildReport> {
  const config = hostConfig();
  const stores = {
    records: openRecords(config),
    objects: openOwnObjects(config),
    objectList: openObjectList(config),
    storages: openStorages(config),
    manifests: openManifests(config),
    queues: openQueues(config),
  };
  const invocation = { correlationId: "test", meter: { add: () => undefined } };
  return rebuildRecords({}, { ...openBase(config), ...invocation, now, ...stores });
}
