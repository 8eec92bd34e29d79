// Four times a day: adds up what the backups use, and writes into the bucket what a lost table is rebuilt from.
import { encodeManifest, oldManifests } from "./core/manifest.ts";
import { samplesOf, sumUse } from "./core/storage-use.ts";
import { type Deps, lazyDeps } from "./deps.ts";
import { type Inventory, readInventory } from "./http/read-inventory.ts";
import { openManifests } from "./stores/manifests.ts";
import { openRecords } from "./stores/records.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

type ChoreDeps = Deps<"records" | "manifests">;

export interface InventoryResult {
  readonly nodes: number;
  readonly sites: number;
  readonly backups: number;
  readonly bytes: number;
}

export const handler: Observed<object, InventoryResult> = chore(
  "inventory",
  lazyDeps({ records: openRecords, manifests: openManifests }),
  async (_event, deps) => {
    const inventory = await readInventory(deps);
    await writeManifest(inventory, deps);
    const use = sumUse(inventory.backups);
    for (const sample of samplesOf(use, inventory.sites, deps.now())) {
      await deps.records.storageSamples.save(sample);
    }
    const { nodes, sites } = inventory;
    const result = { nodes: nodes.length, sites: sites.length, ...use.total };
    deps.log.info("inventory", result);
    return result;
  },
);

async function writeManifest(inventory: Inventory, deps: ChoreDeps): Promise<void> {
  const { manifests, records, config, now } = deps;
  const dates = await manifests.dates();
  // A fleet does not vanish by itself. Where the bucket keeps no versions, the manifest is all there is.
  if (inventory.nodes.length === 0 && dates.length > 0) {
    throw new Error("No node is on record, but there are manifests: the table is not what it was.");
  }
  const whole = { ...inventory, providers: await records.providers.all() };
  await manifests.write(now().toISOString().slice(0, 10), encodeManifest(whole, config.stage, now()));
  for (const date of oldManifests(dates, now())) await manifests.remove(date);
}
