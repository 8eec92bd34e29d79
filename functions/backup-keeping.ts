// Which backups stay: an operator holds one, or deletes one.
import type { BackupMark } from "./core/job-state.ts";
import { viewBackup } from "./core/view.ts";
import { removeBackup } from "./http/delete-backup.ts";
import { loadBackup } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";
import { openStorages } from "./stores/storages.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, storages: openStorages },
  {
    async deleteBackup({ params, principal, activity }, deps) {
      const order = { by: principal?.label ?? "nobody", why: "It was asked for." };
      const { site_id, s3_path, size_bytes } = await removeBackup(params.id, order, deps);
      activity.details = { site_id, s3_path, size_bytes };
      return undefined;
    },

    async putBackupHold({ params, body, principal, activity }, deps) {
      const { held, reason } = body;
      activity.details = { ...body };
      const hold = {
        at: deps.now().toISOString(),
        by: principal?.label ?? "nobody",
        ...(reason === undefined ? {} : { reason }),
      };
      const change: Omit<BackupMark, "backup"> = held ? { set: { hold } } : { set: {}, remove: ["hold"] };
      return settleRace(async () => {
        const backup = await loadBackup(params.id, deps);
        if (!(await deps.records.commit({ jobs: [], mark: { backup, ...change } }))) return undefined;
        const { hold: _before, ...rest } = backup;
        return viewBackup(held ? { ...rest, hold } : rest);
      });
    },
  },
);
