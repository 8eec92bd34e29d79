// The records of storages, nodes and sites as a lost table gets them back: from the manifest, or from nothing but where archives lie.

import { SiteName } from "#shared/contracts/common.ts";
import { archiveFileTime, archiveSiteName, parseObjectPath } from "#shared/object-key.ts";
import type { Manifest } from "./manifest.ts";
import type { NodeRecord, ProviderRecord, SiteRecord } from "./records.ts";

/** Its secret is not in the manifest. */
export function providerFromManifest(provider: Manifest["providers"][number], now: Date): ProviderRecord {
  // A version that no process has seen: what they have opened is kept by it.
  return { ...provider, version: now.getTime() } as ProviderRecord;
}

export function nodeFromManifest(node: Manifest["nodes"][number], queueUrl: string): NodeRecord {
  // Its sites count themselves in again.
  return { ...node, queue_url: queueUrl, site_count: 0 } as NodeRecord;
}

export function siteFromManifest(site: Manifest["sites"][number]): SiteRecord {
  return { ...site, version: 1 } as SiteRecord;
}

/** Nobody can sign for it, and nothing can be sealed to it, until somebody enrols it anew with a token for its id. */
export function placeholderNode(id: string, queueUrl: string, now: Date): NodeRecord {
  return {
    id,
    life: "live",
    name: `node-${id.slice(0, 8)}`,
    state: "disabled",
    created_at: now.toISOString(),
    ...{ signing_key: "", age_recipient: "" },
    queue_url: queueUrl,
    site_count: 0,
  };
}

/** Paused, and of no real path: both are for its operator to say. `keys` are those of its archives, at least one. */
export function placeholderSite(
  { siteId, nodeId }: { readonly siteId: string; readonly nodeId: string },
  keys: readonly string[],
  now: Date,
): SiteRecord {
  const times = keys.flatMap((key) => {
    const fileName = parseObjectPath(`/${key}`)?.fileName ?? "";
    const at = archiveFileTime(fileName);
    return at === undefined ? [] : [{ at, name: archiveSiteName(fileName) }];
  });
  const newestFirst = times.sort((a, b) => b.at.getTime() - a.at.getTime());
  const named = SiteName.safeParse(newestFirst[0]?.name);
  return {
    id: siteId,
    version: 1,
    life: "live",
    node_id: nodeId,
    name: named.success ? named.data : `site-${siteId.slice(0, 8)}`,
    path: `/unknown/${siteId}`,
    state: "paused",
    created_at: (newestFirst.at(-1)?.at ?? now).toISOString(),
    exclude: [],
  };
}
