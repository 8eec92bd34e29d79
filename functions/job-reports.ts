// How restores, undos and verifications ended, told by the node that worked on them.
import { BackupError } from "#shared/errors.ts";
import { isRepeatedOutcome, reportOutcome } from "./core/report-outcome.ts";
import { reportVerification } from "./core/report-verification.ts";
import { viewBackup } from "./core/view.ts";
import { checkOwnership, loadBackup, loadJob, nodeIdOf } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async reportJob({ params, body, principal }, deps) {
      return settleRace(async () => {
        const job = await loadJob(params.id, deps);
        // Also of a site that was removed meanwhile: its job has to end.
        const site = await deps.records.sites.get(job.site_id);
        if (site === undefined)
          throw new BackupError("not_found", { detail: `There is no site ${job.site_id}.` });
        checkOwnership(site, principal);
        if (isRepeatedOutcome(job, body)) return { job_id: job.id, state: job.state, backup_id: null };
        const sourceId = job.source_backup_id;
        const source = sourceId === undefined ? undefined : await deps.records.backups.get(sourceId);
        const input = { job, site, source, report: body, activityId: deps.randomUuid() };
        const step = reportOutcome(input, deps.now());
        if (step.refusal !== undefined) throw step.refusal;
        if (!(await deps.records.commit(step))) return undefined;
        return { job_id: job.id, state: step.jobs.at(-1)?.after.state ?? job.state, backup_id: null };
      });
    },

    async reportVerification({ params, body, principal }, deps) {
      return settleRace(async () => {
        const backup = await loadBackup(params.id, deps);
        if (backup.node_id !== nodeIdOf(principal)) throw new BackupError("not_your_site");
        const site = await deps.records.sites.get(backup.site_id);
        const step = reportVerification(
          { backup, site, report: body, activityId: deps.randomUuid() },
          deps.now(),
        );
        return (await deps.records.commit(step)) ? viewBackup(await loadBackup(params.id, deps)) : undefined;
      });
    },
  },
);
