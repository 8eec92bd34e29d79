// `backupd run-once`: backs up one site, or every active one after another, now and without the queue. Works
// beside a running daemon: the Master allows one backup of a site at a time, whoever makes it.
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { v4 } from "uuid";
import type { SuccessReport } from "#shared/contracts/backups.ts";
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import type { NodeSite } from "#shared/contracts/sites.ts";
import { asBackupError, BackupError } from "#shared/errors.ts";
import { type AttemptEnd, runAttempt } from "./attempt.ts";
import type { Engine } from "./compose.ts";
import type { BegunBackup } from "./context.ts";
import type { HandleDeps } from "./handle-message.ts";
import { correlated } from "./io/correlated-master.ts";
import { readCachedIndex } from "./io/index-cache.ts";
import type { PackThread } from "./io/pack-thread.ts";
import { callWithRetry } from "./io/retrying-master.ts";
import { lookAtSite } from "./look-at-site.ts";
import { resumePath, settleUploads } from "./settle-uploads.ts";
import { cleanDisk, type StartupDeps } from "./startup.ts";

export interface RunOnceDeps extends HandleDeps, StartupDeps {
  /** Started ahead, for the first site; it ends with its owner. */
  readonly packThread?: PackThread | undefined;
  /** Reads the code that a backup runs. */
  readonly load?: Engine["load"] | undefined;
}

export interface SiteOutcome {
  readonly site: NodeSite;
  readonly jobId: string;
  readonly status: "success" | "failed" | "skipped" | "cancelled";
  readonly detail?: string;
  readonly error?: BackupError;
  /** What a success has to tell. */
  readonly report?: SuccessReport;
}

export interface RunOnceRequest {
  /** Id or name; every active site if undefined. */
  readonly site: string | undefined;
  /** Copy nothing from the backup before. */
  readonly full: boolean;
}

const CLAIM_DEADLINE_MS = 20_000;

function pick(sites: readonly NodeSite[], wanted: string | undefined): NodeSite[] {
  if (wanted === undefined) return sites.filter(({ state }) => state === "active");
  const found = sites.filter(({ id, name }) => id === wanted || name === wanted);
  if (found.length > 0) return found;
  const known = sites.map(({ id, name }) => `${id} (${name})`).join(", ");
  const hint =
    known === "" ? "The Master knows no site of this node yet." : `The sites of this node: ${known}`;
  throw new BackupError("not_found", { detail: `this node has no site ${wanted}`, hint });
}

function outcomeOf(end: AttemptEnd): Pick<SiteOutcome, "status" | "detail" | "error" | "report"> {
  if (end.kind !== "reported") return { status: "failed", error: end.error };
  const { outcome, error } = end;
  // A run by hand makes backup jobs only.
  if (outcome.type !== "backup") return { status: "failed", detail: `The job is a ${outcome.type}.` };
  const { report } = outcome;
  if (report.status === "success") return { status: "success", detail: report.s3_path, report };
  if (report.status === "skipped") return { status: "skipped", detail: report.reason };
  return { status: report.status, ...(error === undefined ? {} : { error }) };
}

interface Turn {
  readonly site: NodeSite;
  readonly full: boolean;
  /** A moment old at most. */
  readonly config: () => Promise<NodeConfig>;
  /** Started ahead; it ends with its owner. */
  readonly thread: PackThread | undefined;
}

async function backUp(
  { site, full, thread, ...turn }: Turn,
  stop: AbortSignal,
  deps: RunOnceDeps,
): Promise<SiteOutcome> {
  const jobId = v4();
  const patient = callWithRetry(deps.master, { clock: deps.clock, deadlineMs: CLAIM_DEADLINE_MS });
  // Nobody has called: the job goes by its own id.
  const master = correlated(patient, jobId);
  // Nobody waits for what was begun if there is no job.
  const over = new AbortController();
  try {
    const config = await turn.config();
    using _held = await deps.restores.hold(site.id, stop);
    const path = full ? undefined : await resumePath(site.id, deps);
    const claimedAtMs = deps.clock.monotonicMs();
    const body = {
      site_id: site.id,
      runner_id: deps.runnerId,
      trigger: "manual",
      create: true,
      full,
      ...(path === undefined ? {} : { resume_path: path }),
    } as const;
    const [claim, begun] = await Promise.all([
      master.call("claimJob", { params: { id: jobId }, body, signal: stop }),
      beginMeanwhile(site, AbortSignal.any([stop, over.signal]), deps),
    ]);
    const started = { ...begun, packThread: thread };
    const end = await runAttempt({ claim, claimedAtMs, config, stop, begun: started }, deps);
    return { site, jobId, ...outcomeOf(end) };
  } catch (thrown) {
    const error = asBackupError(thrown, "unexpected");
    deps.log.error("job.not_started", {
      ...{ job_id: jobId, correlation_id: jobId, site_id: site.id, site: site.name },
      error,
    });
    return { site, jobId, status: "failed", error };
  } finally {
    over.abort();
  }
}

/** Takes the processor for about as long as the Master takes to answer: not before it has been asked. */
async function beginMeanwhile(
  { id, path }: NodeSite,
  signal: AbortSignal,
  { state, load }: RunOnceDeps,
): Promise<BegunBackup> {
  await setImmediate();
  await setImmediate();
  const lookedAt = lookAtSite({ path, siteEnvFile: state.siteEnvFile(id) }, signal);
  lookedAt.catch(() => undefined); // The job says it.
  await load?.();
  return { lookedAt };
}

/** The index that is kept of a site's newest archive: in all likelihood that of the one that will be copied from. */
async function readIndexAhead(thread: PackThread, { id }: NodeSite, { state }: RunOnceDeps): Promise<void> {
  const cached = await readCachedIndex(join(state.indexDir, id)).catch(() => undefined); // The job says why.
  if (cached !== undefined) thread.readIndex(cached.index, cached.sha256);
}

/** Never throws for what happens to one site. Throws BackupError if there is none to back up or no config. */
export async function runOnce(
  { site: wanted, full }: RunOnceRequest,
  stop: AbortSignal,
  deps: RunOnceDeps,
): Promise<SiteOutcome[]> {
  const asked = deps.source.refresh();
  asked.catch(() => undefined); // It is waited for below.
  // The daemon cleans up if it runs; otherwise somebody has to.
  using lock = deps.state.tryLock();
  if (lock !== undefined) {
    await cleanDisk(deps);
    await deps.restores.sweep(stop);
  }
  const config = await asked;
  await settleUploads(stop, deps);
  const outcomes: SiteOutcome[] = [];
  const sites = pick(config.sites, wanted);
  const [first] = sites;
  const { packThread: thread } = deps;
  if (thread !== undefined && first !== undefined && !full) void readIndexAhead(thread, first, deps);
  for (const site of sites) {
    if (stop.aborted) break;
    const turn =
      site === first
        ? { thread, config: () => Promise.resolve(config) }
        : { thread: undefined, config: deps.source.refresh };
    outcomes.push(await backUp({ site, full, ...turn }, stop, deps));
    await deps.outbox.flush(stop.aborted ? AbortSignal.timeout(4_000) : stop).catch((error: unknown) => {
      deps.log.warn("outbox.flush_failed", { error });
    });
  }
  return outcomes;
}
