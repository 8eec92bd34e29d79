// Which path a claim gets that wants to go on with an upload, and what becomes of a success that was found out late.
import { describe, expect, it } from "vitest";
import { claimJob } from "#functions/core/claim-job.ts";
import type { JobRecord, SiteRecord } from "#functions/core/records.ts";
import { isRepeat, reportJob } from "#functions/core/report-job.ts";
import { releaseJob } from "#functions/core/steer-job.ts";
import { SuccessReport } from "#shared/contracts/backups.ts";
import { successReport } from "#test/helpers/reports.ts";
import { aJob, aRunningJob, aSite, JOB_ID, later, NODE_ID, NOW, RUNNER_A, SITE_ID } from "./job-records.ts";

const pathOf = (stamp: string, site = "shop.example.com"): string =>
  `/${NODE_ID}/${SITE_ID}/${site}_${stamp}.tar.zst`;
/** Handed out three hours before NOW, and again one hour before. */
const OLDER = pathOf("20300101_000000");
const HANDED_OUT = { last_path_at: "2030-01-01T02:00:00.000Z" };

function claimed(site: Partial<SiteRecord>, resume_path: string, job: Partial<JobRecord> = {}) {
  const body = {
    site_id: SITE_ID,
    runner_id: RUNNER_A,
    trigger: "manual" as const,
    type: "backup" as const,
    create: false,
    full: false,
    resume_path,
  };
  const before = aJob(job);
  const input = { jobId: JOB_ID, body, job: before, site: aSite(site), activeJob: before, leaseSeconds: 60 };
  const step = claimJob(input, NOW);
  if (step.refusal !== undefined) throw step.refusal;
  const after = step.jobs.at(-1)?.after;
  return { path: after?.s3_path, at: after?.path_at, lastPathAt: step.site?.after.last_path_at };
}

describe("a claim that asks for an earlier path", () => {
  it("gets it, and the next claim still gets a later one than all before", () => {
    expect(claimed(HANDED_OUT, OLDER)).toEqual({
      path: OLDER,
      at: "2030-01-01T00:00:00.000Z",
      lastPathAt: HANDED_OUT.last_path_at,
    });
  });

  it.each([
    ["a backup was made since", { ...HANDED_OUT, last_backup_at: "2030-01-01T00:00:00.000Z" }, OLDER],
    ["it was never handed out", { last_path_at: "2029-12-31T00:00:00.000Z" }, OLDER],
    ["the site has had no path yet", {}, OLDER],
    ["it is over three days old", HANDED_OUT, pathOf("20291229_025959")],
    ["the site has another name now", { ...HANDED_OUT, name: "other.example.com" }, OLDER],
    ["it is of another node", HANDED_OUT, OLDER.replace(NODE_ID, SITE_ID)],
    ["it is of another site", HANDED_OUT, OLDER.replaceAll(SITE_ID, NODE_ID)],
    ["it is no time", HANDED_OUT, pathOf("20301399_000000")],
    ["it is no path", HANDED_OUT, `${OLDER}/../x`],
  ])("gets a new one if %s", (_, site, path) => {
    expect(claimed(site, path).path).toMatch(/_20300101_030000\.tar\.zst$/);
  });
});

describe("a success that its runner found out after it gave the job back", () => {
  const running = aRunningJob({ trigger: "schedule", max_attempts: 3 });
  const report = SuccessReport.parse(
    successReport({ job: running, fencing: 1, s3_path: running.s3_path ?? "" }, 1000),
  );
  const error = { code: "storage_unreachable", message: "it was away", hint: "wait" };
  const released = releaseJob(running, aSite(), { fencing: 1, error }, NOW).jobs.at(-1)?.after ?? running;

  it("is taken while nobody else has the job, and its repeat is known", () => {
    expect(released.state).toBe("queued");
    const step = reportJob(released, aSite(), report, later(60));
    expect(step.refusal).toBeUndefined();
    expect(step.backup).toMatchObject({ s3_path: running.s3_path, size_bytes: 1000 });
    const after = step.jobs.at(-1)?.after ?? released;
    expect(after.state).toBe("succeeded");
    expect(isRepeat(after, report)).toBe(true);
  });

  it("is refused once somebody has, and so is any other late report", () => {
    const again: JobRecord = { ...running, fencing: 3 };
    expect(reportJob(again, aSite(), report, later(60)).refusal?.code).toBe("lease_lost");
    const { size_bytes: _size, s3_path: _path, archive: _archive, ...base } = report;
    const failure = { ...base, status: "failed" as const, error };
    expect(reportJob(released, aSite(), failure, later(60)).refusal?.code).toBe("lease_lost");
  });
});
