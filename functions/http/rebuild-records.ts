// Builds the records again after the table was lost: storages, nodes and sites from the newest manifest, or, where there is
// none, from where archives lie; then each backup from its archive's own index. Said twice it goes on, and changes nothing that is there.
import { parseObjectPath } from "#shared/object-key.ts";
import { decodeManifest, type Manifest } from "../core/manifest.ts";
import { mergePrefixes } from "../core/merge-prefixes.ts";
import {
  nodeFromManifest,
  placeholderNode,
  placeholderSite,
  providerFromManifest,
  siteFromManifest,
} from "../core/rebuilt-records.ts";
import type { SiteRecord } from "../core/records.ts";
import { isOwnKey } from "../core/storage-report.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import { adoptLost } from "./adopt-lost.ts";
import { type LeftProvider, rebuildElsewhere } from "./rebuild-elsewhere.ts";

export type RebuildDeps = Deps<"records" | "objects" | "objectList" | "storages" | "manifests" | "queues">;

export interface RebuildReport {
  /** The day of the manifest that was used. */
  manifest: string | null;
  providers: number;
  nodes: number;
  sites: number;
  backups: number;
  /** Made up, because no manifest has them. */
  unknown_nodes: string[];
  unknown_sites: string[];
  /** Storages whose archives could not be looked for yet. */
  left_providers: LeftProvider[];
  /** Objects that were left alone, and why. */
  refused: { key: string; why: string }[];
}

export interface RebuildOptions {
  /** Its day; the newest if left out. */
  readonly manifest?: string | undefined;
  readonly onProgress?: (report: RebuildReport) => void;
}

interface Work {
  readonly deps: RebuildDeps;
  readonly report: RebuildReport;
  readonly marks: ReadonlyMap<string, Manifest["backups"][number]>;
}

const AT_ONCE = 8;

export async function rebuildRecords(options: RebuildOptions, deps: RebuildDeps): Promise<RebuildReport> {
  const date = options.manifest ?? (await deps.manifests.dates()).at(-1);
  const manifest = date === undefined ? undefined : decodeManifest(await deps.manifests.read(date));
  const report: RebuildReport = {
    manifest: date ?? null,
    ...{ providers: 0, nodes: 0, sites: 0, backups: 0 },
    ...{ unknown_nodes: [], unknown_sites: [], left_providers: [], refused: [] },
  };
  const marks = new Map(manifest?.backups.map((one) => [one.s3_path, one]));
  const work = { deps, report, marks };
  if (manifest !== undefined) await restoreManifest(manifest, work);
  let batch: Promise<void>[] = [];
  for await (const { prefix, objects } of mergePrefixes([], deps.objectList.objectsAfter(""))) {
    if (prefix === undefined) {
      for (const { key } of objects)
        if (!isOwnKey(key)) report.refused.push({ key, why: "no key of a backup" });
      continue;
    }
    // Before any of its node's other sites: two at once would both make up the node.
    const isKnown = await ensureSite(objects, work);
    if (isKnown) batch.push(adoptLost(objects, work));
    if (batch.length < AT_ONCE) continue;
    await Promise.all(batch);
    batch = [];
    options.onProgress?.(report);
  }
  await Promise.all(batch);
  await rebuildElsewhere(work);
  return report;
}

async function restoreManifest(manifest: Manifest, { deps, report }: Work): Promise<void> {
  const { providers, nodes, sites } = manifest;
  const { records, queues, now } = deps;
  for (const provider of providers) {
    if (await records.providers.restore(providerFromManifest(provider, now()))) report.providers += 1;
  }
  for (const node of nodes) {
    // The queue may be gone with the table; a removed node has none.
    const queueUrl = node.life === "live" ? await queues.create(node.id) : node.queue_url;
    if (await records.nodes.restore(nodeFromManifest(node, queueUrl))) report.nodes += 1;
  }
  for (const site of sites) {
    const { storage_provider_id: providerId } = site;
    if (providerId !== undefined) await records.providers.restoreChoice(providerId, site);
    if (await records.sites.restore(siteFromManifest(site))) report.sites += 1;
  }
}

/** False if nothing there looks like a backup. */
async function ensureSite(objects: readonly StoredObject[], { deps, report }: Work): Promise<boolean> {
  const { records, queues, now } = deps;
  const keys = objects.map(({ key }) => key).filter((key) => parseObjectPath(`/${key}`) !== undefined);
  const place = parseObjectPath(`/${keys[0]}`);
  if (place === undefined) {
    for (const { key } of objects) report.refused.push({ key, why: "no key of a backup" });
    return false;
  }
  const { nodeId, siteId } = place;
  if ((await records.sites.get(siteId)) !== undefined) return true;
  if ((await records.nodes.get(nodeId)) === undefined) {
    await records.nodes.restore(placeholderNode(nodeId, await queues.create(nodeId), now()));
    report.unknown_nodes.push(nodeId);
  }
  const site = placeholderSite(place, keys, now());
  const other: SiteRecord = { ...site, name: `site-${siteId.slice(0, 8)}` };
  // Another site of the node may have that name by now.
  if (!(await records.sites.restore(site))) await records.sites.restore(other);
  report.unknown_sites.push(siteId);
  return true;
}
