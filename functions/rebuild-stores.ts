// All that a rebuild of the records reads from and writes to.
import type { Config } from "./config.ts";
import type { RebuildDeps } from "./http/rebuild-records.ts";
import { openManifests } from "./stores/manifests.ts";
import { openObjectList } from "./stores/object-list.ts";
import { openOwnObjects } from "./stores/objects.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";
import { openStorages } from "./stores/storages.ts";

export function openRebuildStores(
  config: Config,
): Pick<RebuildDeps, "records" | "objects" | "objectList" | "storages" | "manifests" | "queues"> {
  return {
    records: openRecords(config),
    objects: openOwnObjects(config),
    objectList: openObjectList(config),
    storages: openStorages(config),
    manifests: openManifests(config),
    queues: openQueues(config),
  };
}
