// What a node may know of backups: those it made itself, to list, read and restore them from its own command line.
import { BackupError } from "#shared/errors.ts";
import { viewBackup } from "./core/view.ts";
import { loadBackup, nodeIdOf } from "./http/load.ts";
import { presignSource } from "./http/presign-source.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openObjects } from "./stores/objects.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, objects: openObjects },
  {
    async listNodeBackups({ query, principal }, deps) {
      const nodeId = nodeIdOf(principal);
      const { backups } = deps.records;
      const page =
        query.site_id === undefined
          ? await backups.listOfNode(query, nodeId)
          : await backups.listOfSite(query, { id: query.site_id, node_id: nodeId });
      return { ...page, items: page.items.map(viewBackup) };
    },

    async getNodeBackup({ params, principal }, deps) {
      const backup = await loadBackup(params.id, deps);
      if (backup.node_id !== nodeIdOf(principal)) throw new BackupError("not_your_site");
      return presignSource(backup, deps);
    },
  },
);
