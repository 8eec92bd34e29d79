// What the Master keeps, in the shape that the pure rules read. An absent value is an absent field; view.ts turns
// records into the API's contracts. `version` grows with every write: all races are settled by comparing it.
import type { Archive, Warning } from "#shared/contracts/backups.ts";
import type { ErrorReport } from "#shared/contracts/common.ts";
import type { Role } from "#shared/contracts/identity.ts";
import type {
  JobRequest,
  JobResult,
  JobState,
  JobType,
  Progress,
  Stage,
  Trigger,
} from "#shared/contracts/jobs.ts";
import type { Heartbeat } from "#shared/contracts/nodes.ts";
import type { Finding, VerifyResult } from "#shared/contracts/restores.ts";
import type { Retention, RetentionAlarm } from "#shared/contracts/retention.ts";
import type { LastJob, ProofSchedule, RecentDays, Schedule } from "#shared/contracts/sites.ts";
import type { ProviderFeatures, ProviderKind } from "#shared/contracts/storage.ts";

/** Removed things stay readable by id, for the history that names them, but are in no list. */
export type Life = "live" | "removed";

export interface StageSeconds {
  name: Stage;
  seconds: number;
}

export interface JobRecord {
  id: string;
  /** The site's, kept here for the lists of that tenant. */
  tenant?: string;
  version: number;
  type: JobType;
  site_id: string;
  site_name: string;
  node_id: string;
  trigger: Trigger;
  /** Of the call that started it; of a scheduled job, of its execution. Old records have none. */
  correlation_id?: string;
  /** Nothing is to be copied from the backup before. */
  full?: boolean;
  state: JobState;
  created_at: string;
  scheduled_at?: string;
  deadline_at: string;
  started_at?: string;
  ended_at?: string;
  attempt: number;
  max_attempts: number;
  /** 0 before the first claim. */
  fencing: number;
  /** The process that holds the lease. */
  runner_id?: string;
  lease_expires_at?: string;
  /** Where the latest claim's archive goes, and the instant in its name. */
  s3_path?: string;
  path_at?: string;
  /** In which storage; absent, as in sites and backups: the default one. */
  provider_id?: string;
  progress?: Progress;
  cancel_requested: boolean;
  backup_id?: string;
  /** What it restores or verifies. A scheduled proof learns it at its first claim: the newest then. */
  source_backup_id?: string;
  request?: JobRequest;
  result?: JobResult;
  /** The first of what a failed verification found. */
  findings?: Finding[];
  reason?: string;
  error?: ErrorReport;
  stages?: { name: string; seconds: number }[];
  warnings?: Warning[];
  warnings_total?: number;
  /** Ended by its runner's own words; otherwise a late report may still correct the Master's guess. */
  reported?: boolean;
}

export interface SiteRecord {
  id: string;
  version: number;
  life: Life;
  /** Absent: only operators of the whole fleet see it. */
  tenant?: string;
  /** Its jobs and backups may not have followed it to its tenant yet. */
  tenant_changed_at?: string;
  node_id: string;
  name: string;
  path: string;
  state: "active" | "paused";
  created_at: string;
  schedule?: Schedule;
  proof?: ProofSchedule;
  retention?: Retention;
  /** When an operator last saved the policy: what was there then has been looked at. */
  retention_accepted_at?: string;
  /** Since then nothing is deleted, and why. */
  retention_stop?: { at: string; alarms: RetentionAlarm[] };
  quota_bytes?: number;
  exclude: string[];
  storage_provider_id?: string;
  active_job_id?: string;
  last_job_id?: string;
  last_backup_id?: string;
  last_backup_at?: string;
  last_backup_bytes?: number;
  last_job?: LastJob;
  recent_days?: RecentDays;
  /** What the last comparison with the storage missed: backups whose archive is gone or another one. */
  storage_fault?: { at: string; count: number; backup_ids: string[] };
  /** When a deep verification of one of its backups last found nothing wrong. */
  last_proved_at?: string;
  /** The instant in the newest archive name handed out: the next is later, so no two claims share a name. */
  last_path_at?: string;
}

export interface NodeRecord {
  id: string;
  life: Life;
  /** Then all its sites are of that tenant. */
  tenant?: string;
  name: string;
  state: "active" | "disabled";
  created_at: string;
  signing_key: string;
  age_recipient: string;
  queue_url: string;
  /** Kept in the transactions that add and remove sites, so that a node cannot go while a site comes. */
  site_count: number;
  /** How often one of its sites went to another tenant, so that the node cannot do so at the same time. */
  site_moves?: number;
  quota_bytes?: number;
  version?: string;
  platform?: string;
  last_seen_at?: string;
  disk_free_bytes?: number;
  disk_total_bytes?: number;
  running_job_id?: string;
  outbox_length?: number;
  discovered_sites?: Heartbeat["discovered_sites"];
}

export interface BackupRecord {
  id: string;
  /** The site's, as in its jobs. */
  tenant?: string;
  job_id: string;
  site_id: string;
  site_name: string;
  node_id: string;
  trigger: Trigger;
  /** The instant in the archive's name, by the Master's clock: what the backup shows is from then on. */
  created_at: string;
  s3_path: string;
  provider_id?: string;
  size_bytes: number;
  /** The oldest records do not have `bytes_resumed`. */
  archive: Omit<Archive, "bytes_resumed"> & { bytes_resumed?: number };
  started_at: string;
  finished_at: string;
  stages: StageSeconds[];
  warnings: Warning[];
  warnings_total: number;
  /** Recorded from the archive's own index, because no report came: what only a report tells is 0. */
  origin?: "index";
  /** While it is there, nothing may delete the backup. */
  hold?: { at: string; by: string; reason?: string };
  /** When a restore or a verification last began to read it. */
  last_read_at?: string;
  /** The newest verification that found nothing wrong. */
  verified_at?: string;
  /** The newest one of them that was deep, and what it measured. */
  proved_at?: string;
  proof?: VerifyResult;
  /** The newest verification that found something wrong, until one that goes as deep finds nothing. */
  verification_failed?: FailedVerification;
}

export interface DeletedBackupRecord {
  id: string;
  backup: BackupRecord;
  deleted_at: string;
  /** The label of whoever did it. */
  by: string;
  why: string;
  /** Whether the archive may still be in the bucket. */
  object: "there" | "gone";
}

export interface FailedVerification {
  at: string;
  /** Absent where the comparison of records and storage found it, and no job. */
  job_id?: string;
  deep: boolean;
  error: ErrorReport;
  findings: Finding[];
}

export interface ProviderRecord {
  id: string;
  version: number;
  kind: ProviderKind;
  name: string;
  region: string;
  bucket: string;
  /** Of the kind `aws`. */
  role_arn?: string;
  /** Of the kind `s3`, as all of the next four. */
  endpoint?: string;
  force_path_style?: boolean;
  access_key_id?: string;
  /** An age file to the Master (stores/provider-secrets.ts). */
  sealed_secret?: string;
  created_at: string;
  /** The last test that found it usable, and what it found. */
  tested_at?: string;
  features?: ProviderFeatures;
}

export interface EnrollmentTokenRecord {
  id: string;
  tenant?: string;
  hash: string;
  label: string;
  created_at: string;
  expires_at: string;
  revoked_at?: string;
  /** The node that is to go on under new keys. */
  node_id?: string;
  used_by_node_id?: string;
}

export interface ApiTokenRecord {
  id: string;
  tenant?: string;
  hash: string;
  label: string;
  role: Role;
  created_at: string;
  expires_at?: string;
  revoked_at?: string;
}

export interface ActivityRecord {
  id: string;
  /** Of what was changed, as it was then. */
  tenant?: string;
  at: string;
  actor: { kind: "operator" | "node" | "system"; id: string; label: string };
  action: string;
  target: { kind: string; id: string };
  details: Record<string, unknown>;
  /** Of the call that did it. */
  correlation_id?: string;
}
