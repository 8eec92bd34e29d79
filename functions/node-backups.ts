// What a node may know of backups: those it made itself, to list, read and restore them from its own command line.
import { BackupError } from "#shared/errors.ts";
import { hasLiveLease } from "./core/job-state.ts";
import type { BackupRecord } from "./core/records.ts";
import { viewBackup } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { loadBackup, nodeIdOf } from "./http/load.ts";
import { presignSource } from "./http/presign-source.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { openStorages } from "./stores/storages.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, storages: openStorages },
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

    async getNodeBackup({ params, query, principal }, deps) {
      const nodeId = nodeIdOf(principal);
      const backup = await loadBackup(params.id, deps);
      const isTheirs = backup.node_id === nodeId || (await isAtWorkOn(backup, nodeId, query.job_id, deps));
      if (!isTheirs) throw new BackupError("not_your_site");
      return presignSource(backup, deps);
    },
  },
);

/** A long restore of another node's backup outlives the URL in its claim. */
async function isAtWorkOn(
  backup: BackupRecord,
  nodeId: string,
  jobId: string | undefined,
  deps: Deps<"records">,
): Promise<boolean> {
  const job = jobId === undefined ? undefined : await deps.records.jobs.get(jobId);
  return job?.node_id === nodeId && job.source_backup_id === backup.id && hasLiveLease(job, deps.now());
}
