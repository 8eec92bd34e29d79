// The operator's hand on a site's backup: start it, stop it, see how it goes.
import { BackupError } from "#shared/errors.ts";
import { stopJob } from "./core/steer-job.ts";
import { viewJob } from "./core/view.ts";
import { loadSite } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { activeJobOf, jobsOfSite } from "./http/site-jobs.ts";
import { startManualJob } from "./http/start-job.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, queues: openQueues },
  {
    async startBackup({ params, body, activity }, deps) {
      const { full } = body;
      const started = await startManualJob(params.id, { type: "backup", full }, activity, deps);
      if (full) activity.details.full = true;
      return started;
    },

    async stopBackup({ params, activity }, deps) {
      const job = await settleRace(async () => {
        const site = await loadSite(params.id, deps);
        const active = await activeJobOf(site, deps);
        // Whoever stops a backup does not mean the restore that runs instead.
        if (active !== undefined && active.type !== "backup") throw new BackupError("nothing_to_stop");
        const step = stopJob(active, site, deps.now());
        if (!(await deps.records.commit(step))) return undefined;
        if (step.refusal !== undefined) throw step.refusal;
        return step.jobs.at(-1)?.after;
      });
      activity.target = { kind: "job", id: job.id };
      activity.details = { site_id: params.id, state: job.state };
      return { job_id: job.id, state: job.state };
    },

    async getBackupStatus({ params }, deps) {
      const now = deps.now();
      const site = await loadSite(params.id, deps);
      const { active, lastBackup } = await jobsOfSite(site, now, deps);
      return {
        site_id: site.id,
        active: active === undefined ? null : viewJob(active, now),
        last: lastBackup === undefined ? null : viewJob(lastBackup, now),
      };
    },
  },
);
