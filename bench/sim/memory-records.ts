// The Master's records in memory, with the conditions that DynamoDB puts on every write: a simulated month of a large
// fleet makes tens of millions of them. Passes the contract of commits that the real table passes.
import type { AlertRecord } from "#functions/core/alerts.ts";
import { type Change, hasEnded, type Step } from "#functions/core/job-state.ts";
import type { BackupRecord, JobRecord, NodeRecord, SiteRecord } from "#functions/core/records.ts";
import type { Renewal } from "#functions/stores/job-records.ts";

export interface MemoryRecords {
  readonly nodes: { all(): Promise<NodeRecord[]> };
  readonly sites: { all(): Promise<SiteRecord[]> };
  readonly jobs: {
    get(id: string): Promise<JobRecord | undefined>;
    renew(renewal: Renewal): Promise<JobRecord | undefined>;
  };
  readonly backups: { get(id: string): Promise<BackupRecord | undefined> };
  readonly alerts: {
    all(): Promise<AlertRecord[]>;
    save(alert: AlertRecord): Promise<void>;
    remove(alert: AlertRecord): Promise<void>;
  };
  commit(step: Step): Promise<boolean>;
  /** The same without promises, for the simulation's inner loop. */
  readonly now: {
    job(id: string): JobRecord | undefined;
    site(id: string): SiteRecord | undefined;
    renew(renewal: Renewal): JobRecord | undefined;
    commit(step: Step): boolean;
    put(record: { readonly node: NodeRecord } | { readonly site: SiteRecord }): void;
    /** Ended jobs are dropped from memory once they have been accounted for. */
    forgetJob(id: string): void;
  };
}

export interface MemoryOptions {
  /** Told of each new backup. Unless this keeps them, they are kept here. */
  readonly onBackup?: (backup: BackupRecord) => void;
  /** Told of each written job that has ended, whoever ended it. */
  readonly onEnd?: (job: JobRecord) => void;
}

export function openMemoryRecords({ onBackup, onEnd }: MemoryOptions = {}): MemoryRecords {
  const jobs = new Map<string, JobRecord>();
  const sites = new Map<string, SiteRecord>();
  const nodes = new Map<string, NodeRecord>();
  const alerts = new Map<string, AlertRecord>();
  const backups = new Map<string, BackupRecord>();
  /** Every id there ever was: a backup is created once. */
  const backupIds = new Set<string>();

  const commit = (step: Step): boolean => {
    const mayWrite =
      step.jobs.every((change) => holds(jobs, change)) &&
      (step.site === undefined || holds(sites, step.site)) &&
      (step.backup === undefined || !backupIds.has(step.backup.id));
    if (!mayWrite) return false;
    for (const change of step.jobs) {
      write(jobs, change);
      if (hasEnded(change.after.state)) onEnd?.(change.after);
    }
    if (step.site !== undefined) write(sites, step.site);
    if (step.backup !== undefined) {
      backupIds.add(step.backup.id);
      if (onBackup === undefined) backups.set(step.backup.id, step.backup);
      else onBackup(step.backup);
    }
    return true;
  };
  const renew = ({ jobId, nodeId, fencing, leaseExpiresAt, progress }: Renewal): JobRecord | undefined => {
    const job = jobs.get(jobId);
    const isHeld = job?.state === "running" && job.fencing === fencing && job.node_id === nodeId;
    if (!isHeld) return undefined;
    const renewed = {
      ...job,
      version: job.version + 1,
      lease_expires_at: leaseExpiresAt,
      ...(progress === undefined ? {} : { progress }),
    };
    jobs.set(jobId, renewed);
    return renewed;
  };

  return {
    nodes: { all: async () => [...nodes.values()] },
    sites: { all: async () => [...sites.values()] },
    jobs: { get: async (id) => jobs.get(id), renew: async (renewal) => renew(renewal) },
    backups: { get: async (id) => backups.get(id) },
    alerts: {
      all: async () => [...alerts.values()],
      save: async (alert) => void alerts.set(alert.key, alert),
      remove: async ({ key }) => void alerts.delete(key),
    },
    commit: async (step) => commit(step),
    now: {
      job: (id) => jobs.get(id),
      site: (id) => sites.get(id),
      renew,
      commit,
      put(record) {
        if ("node" in record) nodes.set(record.node.id, record.node);
        else sites.set(record.site.id, record.site);
      },
      forgetJob: (id) => void jobs.delete(id),
    },
  };
}

interface Versioned {
  readonly id: string;
  readonly version: number;
}

/** The write's condition: nobody wrote since the record was read, or it was not there and still is not. */
function holds<T extends Versioned>(table: ReadonlyMap<string, T>, { before, after }: Change<T>): boolean {
  return table.get(after.id)?.version === before?.version;
}

function write<T extends Versioned>(table: Map<string, T>, { before, after }: Change<T>): void {
  table.set(after.id, { ...after, version: (before?.version ?? 0) + 1 });
}
