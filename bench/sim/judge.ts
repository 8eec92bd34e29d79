// Holds what happened against what should have: each due backup comes to one end that can be explained, makes one record and
// one object or none, and each planted fault is a fact from the moment that the Master could know of it.
import { hasEnded } from "#functions/core/job-state.ts";
import type { BackupRecord, JobRecord } from "#functions/core/records.ts";
import { GRACE_MS } from "#shared/site-health.ts";
import type { MemoryRecords } from "./memory-records.ts";
import type { Plan, SimSite } from "./plan.ts";
import type { Outcome, Tally } from "./tally.ts";
import type { SeenFault, WorldResult } from "./world.ts";

/** Deliveries and late reports of a job come within that time. */
const REMEMBERED_MS = 3 * 86_400_000;
/** functions/core/watch.ts: silence before it is one. */
const SILENT_MS = 15 * 60_000;
const MAX_EXAMPLES = 20;

interface Due {
  readonly site: SimSite;
  readonly atMs: number;
  backups: number;
  objects: number;
}

export interface Judge {
  onDue(jobId: string, site: SimSite, atMs: number): void;
  onEnd(job: JobRecord, atMs: number): void;
  readonly onBackup: (backup: BackupRecord) => void;
  readonly onObject: (jobId: string, change: 1 | -1) => void;
  readonly isBroken: (siteId: string, atMs: number) => boolean;
  isScheduleLost(siteId: string, dueMs: number): boolean;
  forgetOld(nowMs: number, records: MemoryRecords["now"]): void;
  /** Everything is at rest: what has no end now will have none. */
  close(records: MemoryRecords["now"], nowMs: number): void;
  faults(): SeenFault[];
  catchingUp(): WorldResult["catchingUp"];
}

export function openJudge(plan: Plan, tally: Tally): Judge {
  const dues = new Map<string, Due>();
  /** In order of time, since the map keeps the order in which they came. */
  const failures = new Map<string, number>();
  const successes = new Map<string, number[]>();
  const planted = new Map(plan.planted.map((fault) => [fault.target, fault]));
  const silences = new Map(
    plan.planted
      .filter(({ kind }) => kind === "node_silent")
      .map((fault) => [plan.nodes.findIndex(({ record }) => record.id === fault.target), fault]),
  );
  const isWithin = (kind: string, target: string, atMs: number): boolean => {
    const fault = planted.get(target);
    return fault?.kind === kind && fault.fromMs <= atMs && atMs < fault.untilMs;
  };
  const firstSuccessAfter = (siteId: string, atMs: number): number =>
    successes.get(siteId)?.find((time) => time > atMs) ?? plan.endMs;

  function judgeEnd(jobId: string, { site, atMs, backups, objects }: Due, state: Outcome): void {
    tally.ends[state] += 1;
    tally.backups += backups;
    tally.orphans += Math.max(0, objects - backups);
    if (backups !== (state === "succeeded" ? 1 : 0))
      tally.wrongBackups.push(`${jobId}: ${backups}, ${state}`);
    if (objects < backups) tally.wrongBackups.push(`${jobId}: a backup without an object`);
    const silence = silences.get(site.nodeNumber);
    const wasAway = silence !== undefined && atMs > silence.fromMs - REMEMBERED_MS && atMs < silence.untilMs;
    const isBroken = planted.get(site.id)?.kind === "site_failing";
    const isExplained =
      state === "succeeded" || (state === "failed" && isBroken) || (state === "expired" && wasAway);
    if (!isExplained && tally.unexplained.length < MAX_EXAMPLES) tally.unexplained.push(`${jobId}: ${state}`);
  }

  return {
    onDue: (jobId, site, atMs) => void dues.set(jobId, { site, atMs, backups: 0, objects: 0 }),
    onEnd(job, atMs) {
      if (job.state === "failed" && !failures.has(job.site_id)) failures.set(job.site_id, atMs);
    },
    onBackup(backup) {
      const due = dues.get(backup.job_id);
      if (due === undefined) throw new Error(`A backup of ${backup.job_id}, which was never due`);
      due.backups += 1;
      tally.storedBytes += backup.size_bytes;
      if (!planted.has(backup.site_id) && !silences.has(due.site.nodeNumber)) return;
      const times = successes.get(backup.site_id) ?? [];
      successes.set(backup.site_id, [...times, Date.parse(backup.finished_at)]);
    },
    onObject(jobId, change) {
      const due = dues.get(jobId);
      if (due !== undefined) due.objects += change;
    },
    isBroken: (siteId, atMs) => isWithin("site_failing", siteId, atMs),
    isScheduleLost: (siteId, dueMs) => isWithin("site_overdue", siteId, dueMs),
    forgetOld(nowMs, records) {
      for (const [jobId, due] of dues) {
        if (due.atMs > nowMs - REMEMBERED_MS) return;
        const job = records.job(jobId);
        if (job === undefined || !hasEnded(job.state)) continue;
        judgeEnd(jobId, due, job.state as Outcome);
        dues.delete(jobId);
        records.forgetJob(jobId);
      }
    },
    close(records, nowMs) {
      this.forgetOld(nowMs + REMEMBERED_MS, records);
      tally.withoutEnd.push(...[...dues.keys()].slice(0, MAX_EXAMPLES));
    },
    faults() {
      const siteById = new Map(plan.sites.map((site) => [site.id, site]));
      return plan.planted.map((fault): SeenFault => {
        const { kind, target, fromMs, untilMs } = fault;
        if (kind === "node_silent") return { ...fault, factMs: fromMs + SILENT_MS, overMs: untilMs };
        if (kind === "site_discovered") return { ...fault, factMs: fromMs, overMs: untilMs };
        const overMs = firstSuccessAfter(target, untilMs);
        if (kind === "site_failing") return { ...fault, factMs: failures.get(target), overMs };
        const site = siteById.get(target);
        const missedMs = site?.dueMs.find((dueMs) => dueMs >= fromMs);
        const isMissed = site !== undefined && missedMs !== undefined && missedMs < untilMs;
        const factMs = isMissed ? missedMs + site.flexibleMs + GRACE_MS : undefined;
        return { ...fault, factMs: factMs !== undefined && factMs < overMs ? factMs : undefined, overMs };
      });
    },
    catchingUp: () =>
      plan.sites.flatMap(({ id, nodeNumber }) => {
        const silence = silences.get(nodeNumber);
        if (silence === undefined) return [];
        return [{ target: id, fromMs: silence.fromMs, untilMs: firstSuccessAfter(id, silence.untilMs) }];
      }),
  };
}
