// The story of one backup, from a claimed job to the report of its success: what happens, in which order, and what
// has to be true before the next step. Every error ends it as a BackupError; nothing stays behind in S3 then.
import type { BackupReport, SuccessReport, Warning } from "#shared/contracts/backups.ts";
import { type ArchiveAhead, lookAhead } from "./archive-ahead.ts";
import type { JobContext, RunBackup } from "./context.ts";
import { type Dump, dumpDatabase } from "./io/dump.ts";
import type { DatabaseFacts } from "./io/mysql-client.ts";
import { watchPeakMemory } from "./io/peak-memory.ts";
import type { Site } from "./io/site.ts";
import { type Archived, makeArchive } from "./make-archive.ts";
import { FRAME_BYTES } from "./plan/frame-bytes.ts";
import { preflight } from "./preflight.ts";

const REPORTED_WARNINGS = 200;

export const runBackup: RunBackup = async (job) => {
  const { stages } = job;
  const startedAt = job.now();
  using memory = watchPeakMemory();
  const soFar = (): ReportBase => reportBase(job, startedAt);

  stages.enter("preflight");
  const quota = quotaRefusal(job);
  quota.catch(() => undefined); // What keeps the backup from being made at all is told first.
  const checking = preflight(job);
  checking.catch(() => undefined);
  await using ahead = lookAhead(job);
  const { site, facts } = await checking;
  stages.enter("quota");
  const refusal = await quota;
  if (refusal !== undefined) {
    return { ...soFar(), status: "skipped", reason: refusal, warnings: [], warnings_total: 0 };
  }
  stages.enter("dump");
  await using dump = await dumpSite(job, site, facts, ahead);
  const report = (archived: Archived): SuccessReport => ({
    ...soFar(),
    ...successOf(job, facts, archived),
  });
  return report(await makeArchive(job, { site, dump, dumpedAt: job.now(), memory }, ahead, report));
};

function successOf(
  job: JobContext,
  facts: DatabaseFacts,
  { sizeBytes, archive, packed }: Archived,
): Omit<SuccessReport, keyof ReportBase> {
  const fromDatabase = databaseWarnings(facts);
  return {
    status: "success",
    size_bytes: sizeBytes,
    s3_path: job.claim.s3_path,
    archive,
    warnings: [...fromDatabase, ...packed.warnings].slice(0, REPORTED_WARNINGS),
    warnings_total: fromDatabase.length + packed.warningsTotal,
  };
}

type ReportBase = Pick<
  BackupReport,
  "job_id" | "site_id" | "fencing" | "started_at" | "finished_at" | "stages"
>;

function reportBase(job: JobContext, startedAt: Date): ReportBase {
  return {
    job_id: job.claim.job.id,
    site_id: job.site.id,
    fencing: job.claim.fencing,
    started_at: startedAt.toISOString(),
    finished_at: job.now().toISOString(),
    stages: job.stages.times(),
  };
}

async function quotaRefusal(job: JobContext): Promise<string | undefined> {
  const params = { id: job.site.id };
  const check = await job.master.call("checkSiteQuota", { params, signal: job.signal });
  return check.can_proceed ? undefined : (check.reason ?? "The quota does not allow another backup");
}

async function dumpSite(
  job: JobContext,
  site: Site,
  facts: DatabaseFacts,
  ahead: ArchiveAhead,
): Promise<Dump> {
  return await dumpDatabase(site.db, {
    facts,
    spoolDir: job.spoolDir,
    frameBytes: FRAME_BYTES,
    signal: job.signal,
    onBytes: (total) => {
      job.progress.bytesDone = total;
    },
    onSnapshot: () => ahead.survey(site),
  });
}

function databaseWarnings({ nonTransactionalTables, unreadable }: DatabaseFacts): Warning[] {
  const warnings: Warning[] = [];
  if (nonTransactionalTables.length > 0) {
    warnings.push({
      code: "tables_not_transactional",
      message:
        `Written during the dump, these tables may not fit the others: ${nonTransactionalTables.join(", ")}. Convert them with ALTER TABLE … ENGINE=InnoDB.`.slice(
          0,
          2000,
        ),
    });
  }
  for (const kind of ["events", "routines", "triggers"] as const) {
    if (unreadable[kind]) {
      warnings.push({
        code: `${kind}_unreadable`,
        message: `The database user may not read ${kind}; if the database has any, they are not in the backup.`,
      });
    }
  }
  return warnings;
}
