// Whatever two runners, an operator and the clock do in whatever order, a job succeeds at most once, runs only under
// a lease, and a site never has two living jobs.
import fc from "fast-check";
import { expect, test } from "vitest";
import { claimJob } from "#functions/core/claim-job.ts";
import { effectiveJob, hasEnded, hasLiveLease, type Step } from "#functions/core/job-state.ts";
import type { BackupRecord, JobRecord, SiteRecord } from "#functions/core/records.ts";
import { isRepeat, reportJob } from "#functions/core/report-job.ts";
import { buryJob, holdsLease, releaseJob, startJob, stopJob } from "#functions/core/steer-job.ts";
import { BackupReport } from "#shared/contracts/backups.ts";
import { BackupError } from "#shared/errors.ts";
import { failureReport, successReport } from "#test/helpers/reports.ts";
import { aSite, NOW, RUNNER_A, RUNNER_B, SITE_ID } from "./job-records.ts";

const LEASE_SECONDS = 300;

interface Held {
  readonly jobId: string;
  readonly fencing: number;
  readonly s3Path: string;
}

/** The records, and what each runner believes to hold. */
class World {
  now: Date = NOW;
  site: SiteRecord = aSite();
  readonly jobs = new Map<string, JobRecord>();
  readonly backups: BackupRecord[] = [];
  readonly paths = new Set<string>();
  readonly held = new Map<string, Held[]>();
  started = 0;

  get active(): JobRecord | undefined {
    return this.site.active_job_id === undefined ? undefined : this.jobs.get(this.site.active_job_id);
  }

  pass(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1000);
  }

  apply(step: Step): boolean {
    for (const { before, after } of step.jobs) {
      expect(before === undefined ? undefined : this.jobs.get(after.id)).toBe(before);
      this.jobs.set(after.id, after);
    }
    if (step.site !== undefined) this.site = step.site.after;
    if (step.backup !== undefined) this.backups.push(step.backup);
    return step.refusal === undefined;
  }
}

type Move = (world: World) => void;

const idOf = (count: number): string => `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`;
/** Mostly the newest job; the others' messages may come late. */
const jobIds = fc.oneof(
  fc.constant((world: World) => idOf(world.started)),
  fc.integer({ min: 1, max: 20 }).map((count) => () => idOf(count)),
);
const runners = fc.constantFrom(RUNNER_A, RUNNER_B);

const wait = fc.integer({ min: 0, max: 400 }).map(
  (seconds): Move =>
    (world) =>
      world.pass(seconds),
);
const waitLong = fc.constant<Move>((world) => world.pass(90_000));
const start = fc.constant<Move>((world) => {
  const jobId = idOf(world.started + 1);
  if (world.started < 20 && world.apply(startJob(jobId, world.site, world.active, world.now)))
    world.started += 1;
});
const stop = fc.constant<Move>((world) => void world.apply(stopJob(world.active, world.site, world.now)));
const claim = fc.tuple(jobIds, runners, fc.boolean()).map(
  ([pick, runner, keeps]): Move =>
    (world) => {
      const jobId = pick(world);
      const job = world.jobs.get(jobId);
      if (job === undefined) return;
      const body = {
        site_id: SITE_ID,
        runner_id: runner,
        trigger: "manual" as const,
        type: "backup" as const,
        create: false,
        full: false,
      };
      const { active: activeJob, site } = world;
      const step = claimJob({ jobId, body, job, site, activeJob, leaseSeconds: LEASE_SECONDS }, world.now);
      if (!world.apply(step)) return;
      const claimed = step.jobs.at(-1)?.after as JobRecord;
      expect(world.paths.has(String(claimed.s3_path))).toBe(false);
      world.paths.add(String(claimed.s3_path));
      const held = { jobId, fencing: claimed.fencing, s3Path: String(claimed.s3_path) };
      // An answer may get lost on its way to the runner.
      if (keeps) world.held.set(runner, [...(world.held.get(runner) ?? []), held]);
    },
);
const withHeld = (act: (world: World, held: Held) => void) =>
  fc.tuple(runners, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }))).map(
    ([runner, back]): Move =>
      (world) => {
        // Mostly the newest claim; an older one is what a zombie would use.
        const held = world.held.get(runner)?.at(-back);
        if (held !== undefined) act(world, held);
      },
  );
const renew = withHeld((world, { jobId, fencing }) => {
  const job = world.jobs.get(jobId) as JobRecord;
  const until = new Date(world.now.getTime() + LEASE_SECONDS * 1000).toISOString();
  if (holdsLease(job, fencing)) world.jobs.set(jobId, { ...job, lease_expires_at: until });
});
const release = withHeld((world, { jobId, fencing }) => {
  const error = { code: "disk_full", message: "full" };
  const job = world.jobs.get(jobId) as JobRecord;
  world.apply(releaseJob(job, world.site, { fencing, error }, world.now));
});
const report = fc.boolean().chain((isGood) =>
  withHeld((world, { jobId, fencing, s3Path }) => {
    const of = { job: { id: jobId, site_id: SITE_ID }, fencing, s3_path: s3Path };
    const body = BackupReport.parse(isGood ? successReport(of, 7) : failureReport(of));
    const job = world.jobs.get(jobId) as JobRecord;
    if (!isRepeat(job, body)) world.apply(reportJob(job, world.site, body, world.now));
  }),
);
const bury = jobIds.map(
  (pick): Move =>
    (world) => {
      const job = world.jobs.get(pick(world));
      if (job !== undefined) world.apply(buryJob(job, false, world.site, "dead letter", world.now));
    },
);

test("no interleaving breaks a promise", () => {
  const moves = fc.oneof(
    { arbitrary: start, weight: 4 },
    { arbitrary: claim, weight: 8 },
    { arbitrary: report, weight: 8 },
    ...[wait, renew, release, stop, bury].map((arbitrary) => ({ arbitrary, weight: 1 })),
    { arbitrary: waitLong, weight: 1 },
  );
  let successes = 0;
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60, size: "max" }), (sequence) => {
      const world = new World();
      for (const move of sequence) {
        const endedBefore = [...world.jobs.values()].filter((job) => job.state === "succeeded");
        try {
          move(world);
        } catch (error) {
          if (!(error instanceof BackupError)) throw error;
        }
        checkPromises(world);
        for (const job of endedBefore) expect(world.jobs.get(job.id)).toBe(job);
      }
      successes += world.backups.length;
    }),
    { numRuns: 1000 },
  );
  // The moves must be able to get somewhere, or nothing would be proved.
  expect(successes).toBeGreaterThan(100);
});

function checkPromises(world: World): void {
  const backupsOf = Map.groupBy(world.backups, (backup) => backup.job_id);
  const alive = [];
  for (const job of world.jobs.values()) {
    const current = effectiveJob(job, world.now);
    expect(backupsOf.get(job.id)?.length ?? 0).toBe(job.state === "succeeded" ? 1 : 0);
    if (current.state === "running") expect(hasLiveLease(job, world.now)).toBe(true);
    if (!hasEnded(current.state)) alive.push(job.id);
    if (hasEnded(job.state)) expect(job.lease_expires_at).toBeUndefined();
  }
  expect(alive.length).toBeLessThanOrEqual(1);
  if (alive.length === 1) expect(world.site.active_job_id).toBe(alive[0]);
}
