// The part of a rebuild that is about storages beside the Master's own bucket: their archives are recorded once their keys
// are there again. Sites are not made up from what lies in them, because more than the sites' nodes can write there.

import { BackupError } from "#shared/errors.ts";
import { parseObjectPath } from "#shared/object-key.ts";
import type { ManifestBackup } from "../core/manifest.ts";
import { mergePrefixes } from "../core/merge-prefixes.ts";
import type { ProviderRecord } from "../core/records.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import { adoptLost } from "./adopt-lost.ts";

export interface LeftProvider {
  readonly id: string;
  readonly name: string;
  readonly why: string;
}

export interface RebuildElsewhere {
  readonly deps: Deps<"records" | "storages">;
  readonly report: {
    backups: number;
    refused: { key: string; why: string }[];
    left_providers: LeftProvider[];
  };
  readonly marks: ReadonlyMap<string, ManifestBackup>;
}

export async function rebuildElsewhere(work: RebuildElsewhere): Promise<void> {
  const { deps, report } = work;
  for (const provider of await deps.records.providers.all()) {
    const { id, name, kind, sealed_secret: sealed } = provider;
    const left = (why: string): number => report.left_providers.push({ id, name, why });
    if (kind === "s3" && sealed === undefined) {
      left("its secret is not kept outside the table");
      continue;
    }
    try {
      await adoptFrom(provider, work);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      left(error.message);
    }
  }
}

async function adoptFrom({ id: providerId }: ProviderRecord, work: RebuildElsewhere): Promise<void> {
  const { deps, report, marks } = work;
  const { records, storages } = deps;
  const [objects, list] = await Promise.all([storages.at(providerId), storages.listAt(providerId)]);
  const lost = { deps: { ...deps, objects }, report, marks, elsewhere: { providerId, isChosen: true } };
  for (const { id: nodeId } of await records.nodes.everyOne()) {
    for await (const group of mergePrefixes([], list.objectsAfter("", `${nodeId}/`))) {
      const site = await siteOf(group.objects, deps);
      if (site !== undefined) {
        // First: a backup whose storage nobody has chosen would not be compared, nor keep the provider.
        await records.providers.restoreChoice(providerId, site);
        await adoptLost(group.objects, lost);
        continue;
      }
      const why = "no backup of a site on record";
      report.refused.push(...group.objects.map(({ key }) => ({ key, why })));
    }
  }
}

async function siteOf(objects: readonly StoredObject[], { records }: Deps<"records">) {
  const place = objects.map(({ key }) => parseObjectPath(`/${key}`)).find((one) => one !== undefined);
  const site = place === undefined ? undefined : await records.sites.get(place.siteId);
  return site?.node_id === place?.nodeId ? site : undefined;
}
