// How much the backups use, in all and by whom: the records themselves add up, never a counter that could drift.
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import type { StorageSummary } from "#shared/contracts/upkeep.ts";
import type { NodeRecord, SiteRecord } from "./records.ts";

/** Of one backup. */
export interface UsedBytes {
  readonly node_id: string;
  readonly site_id: string;
  readonly size_bytes: number;
  /** Absent: the Master's own storage. */
  readonly provider_id?: string | undefined;
}

export interface Use {
  bytes: number;
  backups: number;
}

/** What a day's sample keeps of whom: the fleet, or one tenant of it. */
export interface StorageSample extends Use {
  readonly scope: string;
  readonly date: string;
}

export interface StorageUse {
  readonly total: Use;
  readonly byNode: ReadonlyMap<string, Use>;
  readonly bySite: ReadonlyMap<string, Use>;
  readonly byProvider: ReadonlyMap<string, Use>;
}

export const FLEET = "fleet";
export const scopeOf = (tenant: string): string => `tenant:${tenant}`;

export function sumUse(backups: Iterable<UsedBytes>): StorageUse {
  const total: Use = { bytes: 0, backups: 0 };
  const byNode = new Map<string, Use>();
  const bySite = new Map<string, Use>();
  const byProvider = new Map<string, Use>();
  for (const { node_id, site_id, size_bytes, provider_id = DEFAULT_PROVIDER } of backups) {
    add(of(byProvider, provider_id), size_bytes);
    add(total, size_bytes);
    add(of(byNode, node_id), size_bytes);
    add(of(bySite, site_id), size_bytes);
  }
  return { total, byNode, bySite, byProvider };
}

/** One sample for the fleet, and one for each tenant that has sites. */
export function samplesOf(
  { total, bySite }: StorageUse,
  sites: readonly SiteRecord[],
  now: Date,
): StorageSample[] {
  const date = now.toISOString().slice(0, 10);
  const tenants = new Map<string, Use>();
  for (const { id, tenant } of sites) {
    if (tenant === undefined) continue;
    const [sum, own] = [of(tenants, tenant), bySite.get(id)];
    sum.bytes += own?.bytes ?? 0;
    sum.backups += own?.backups ?? 0;
  }
  const ofTenants = [...tenants].map(([tenant, use]) => ({ scope: scopeOf(tenant), date, ...use }));
  return [{ scope: FLEET, date, ...total }, ...ofTenants];
}

export interface Named {
  readonly nodes: readonly NodeRecord[];
  readonly sites: readonly SiteRecord[];
}

/** The `top` that use the most, the largest first. */
export function topUsers(
  { byNode, bySite, byProvider }: StorageUse,
  { nodes, sites }: Named,
  top: number,
): Pick<StorageSummary, "nodes" | "sites" | "providers"> {
  const nodeNames = new Map(nodes.map((node) => [node.id, node.name]));
  const siteOf = new Map(sites.map((site) => [site.id, site]));
  return {
    providers: largest(byProvider, byProvider.size).map(([id, use]) => ({ provider_id: id, ...use })),
    nodes: largest(byNode, top).map(([id, use]) => ({
      node_id: id,
      name: nodeNames.get(id) ?? null,
      ...use,
    })),
    sites: largest(bySite, top).map(([id, use]) => {
      const site = siteOf.get(id);
      return { site_id: id, node_id: site?.node_id ?? null, name: site?.name ?? null, ...use };
    }),
  };
}

function largest(uses: ReadonlyMap<string, Use>, top: number): [string, Use][] {
  return [...uses].sort(([idA, a], [idB, b]) => b.bytes - a.bytes || (idA < idB ? -1 : 1)).slice(0, top);
}

function of(uses: Map<string, Use>, id: string): Use {
  const known = uses.get(id) ?? { bytes: 0, backups: 0 };
  uses.set(id, known);
  return known;
}

function add(use: Use, bytes: number): void {
  use.bytes += bytes;
  use.backups += 1;
}
