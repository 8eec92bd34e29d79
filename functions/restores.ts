// The operator's hand on restores and verifications: each queues a job on the node of the site it is about.
import { BackupError } from "#shared/errors.ts";
import { checkBoot } from "./core/check-boot.ts";
import type { Principal } from "./core/principal.ts";
import type { BackupRecord } from "./core/records.ts";
import type { Deps } from "./deps.ts";
import { checkHostOf, loadBackup, loadSite } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { startManualJob } from "./http/start-job.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, queues: openQueues },
  {
    async restoreBackup({ params, body, principal, activity }, deps) {
      checkRestore(body);
      const backup = await loadBackup(params.id, deps);
      const siteId = body.site_id ?? backup.site_id;
      await checkTarget(siteId, body.to, backup, principal, deps);
      const request = { type: "restore", ...body } as const;
      const order = { type: "restore", sourceBackupId: backup.id, request } as const;
      const started = await startManualJob(siteId, order, activity, deps);
      activity.details = { ...activity.details, backup_id: backup.id, ...body };
      return started;
    },

    async undoRestore({ params, body, activity }, deps) {
      const order = { type: "undo", request: { type: "undo", ...body } } as const;
      const started = await startManualJob(params.id, order, activity, deps);
      activity.details = { ...activity.details, ...body };
      return started;
    },

    async verifyBackup({ params, body, principal, activity }, deps) {
      checkBoot(body);
      const backup = await loadBackup(params.id, deps);
      if (body.boot) await checkHostOf(backup.site_id, principal, "running its code (`boot`)", deps);
      const request = { type: "verify", ...body } as const;
      const order = { type: "verify", sourceBackupId: backup.id, request } as const;
      const started = await startManualJob(backup.site_id, order, activity, deps);
      activity.details = { ...activity.details, backup_id: backup.id, ...body };
      return started;
    },
  },
);

/** No restore takes data from one tenant to another, or a tenant's to a place of a node that others share. */
async function checkTarget(
  siteId: string,
  to: string | undefined,
  backup: BackupRecord,
  principal: Principal | undefined,
  deps: Deps<"records">,
): Promise<void> {
  if (to !== undefined) await checkHostOf(siteId, principal, "a directory of the node (`to`)", deps);
  if (siteId === backup.site_id) return;
  const [from, into] = await Promise.all([deps.records.sites.get(backup.site_id), loadSite(siteId, deps)]);
  if (from?.tenant === into.tenant) return;
  throw new BackupError("conflict", {
    detail: "The backup and the site are of different tenants.",
    hint: "Move the site first, or download the backup and restore the file on the node.",
  });
}

/** Refuses what contradicts itself, before a node is asked to make sense of it. */
function checkRestore(body: {
  readonly only?: readonly string[] | undefined;
  readonly paths: readonly string[];
  readonly to?: string | undefined;
  readonly new_url?: string | undefined;
}): void {
  const { only, paths, to, new_url: newUrl } = body;
  const refuse = (path: string, message: string): never => {
    throw new BackupError("invalid_request", {
      detail: `${path} ${message}.`,
      data: { issues: [{ path, message }] },
    });
  };
  if (paths.length > 0 && only !== undefined) refuse("paths", "cannot be combined with only");
  if (newUrl === undefined) return;
  if (to !== undefined) refuse("new_url", "cannot be combined with to: it rewrites a site's database");
  const hasDatabase = paths.length === 0 && (only === undefined || only.includes("db"));
  if (!hasDatabase) refuse("new_url", "needs the database to be restored");
}
