// Everything that is on record of nodes, sites and backups, read node by node.
import type { BackupRecord, NodeRecord, SiteRecord } from "../core/records.ts";
import type { Deps } from "../deps.ts";
import type { InventoriedBackup } from "../stores/backup-records.ts";

export interface Inventory {
  readonly nodes: NodeRecord[];
  readonly sites: SiteRecord[];
  readonly backups: (InventoriedBackup & Pick<BackupRecord, "node_id">)[];
}

const AT_ONCE = 16;

export async function readInventory({ records }: Pick<Deps<"records">, "records">): Promise<Inventory> {
  const [nodes, sites] = await Promise.all([records.nodes.everyOne(), records.sites.everyOne()]);
  const backups: Inventory["backups"] = [];
  for (let at = 0; at < nodes.length; at += AT_ONCE) {
    const ids = nodes.slice(at, at + AT_ONCE).map(({ id }) => id);
    const pages = await Promise.all(ids.map((id) => records.backups.inventoryOf(id)));
    for (const [index, page] of pages.entries()) {
      for (const backup of page) backups.push({ ...backup, node_id: ids[index] ?? "" });
    }
  }
  return { nodes, sites, backups };
}
