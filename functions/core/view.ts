// Records as the API shows them: absent fields as null, secrets and bookkeeping left out, jobs as of now.
import type { Backup } from "#shared/contracts/backups.ts";
import type { ApiToken, EnrollmentToken } from "#shared/contracts/identity.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import type { Node } from "#shared/contracts/nodes.ts";
import type { Finding } from "#shared/contracts/restores.ts";
import type { NodeSite, Site } from "#shared/contracts/sites.ts";
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import { effectiveJob } from "./job-state.ts";
import type {
  ApiTokenRecord,
  BackupRecord,
  EnrollmentTokenRecord,
  JobRecord,
  NodeRecord,
  SiteRecord,
} from "./records.ts";

/** A list of 200 jobs must stay an answer that Lambda can give. */
const SHOWN = { count: 10, chars: 400 };

function firstOf(findings: readonly Finding[] = []): Finding[] {
  return findings
    .slice(0, SHOWN.count)
    .map(({ code, message }) => ({ code, message: message.slice(0, SHOWN.chars) }));
}

export function viewJob(record: JobRecord, now: Date): Job {
  const job = effectiveJob(record, now);
  return {
    id: job.id,
    type: job.type,
    site_id: job.site_id,
    site_name: job.site_name,
    node_id: job.node_id,
    trigger: job.trigger,
    correlation_id: job.correlation_id ?? null,
    full: job.full ?? false,
    state: job.state,
    created_at: job.created_at,
    scheduled_at: job.scheduled_at ?? null,
    deadline_at: job.deadline_at,
    started_at: job.started_at ?? null,
    ended_at: job.ended_at ?? null,
    attempt: job.attempt,
    max_attempts: job.max_attempts,
    progress: job.progress ?? null,
    cancel_requested: job.cancel_requested,
    backup_id: job.backup_id ?? null,
    source_backup_id: job.source_backup_id ?? null,
    request: job.request ?? null,
    result: job.result ?? null,
    findings: firstOf(job.findings),
    warnings: firstOf(job.warnings),
    reason: job.reason ?? null,
    error: job.error ?? null,
  };
}

export function viewSite(site: SiteRecord): Site {
  return {
    id: site.id,
    node_id: site.node_id,
    name: site.name,
    path: site.path,
    state: site.state,
    tenant: site.tenant ?? null,
    created_at: site.created_at,
    schedule: site.schedule ?? null,
    proof: site.proof ?? null,
    retention: site.retention ?? null,
    retention_stop: site.retention_stop ?? null,
    quota_bytes: site.quota_bytes ?? null,
    exclude: site.exclude,
    storage_provider_id: site.storage_provider_id ?? DEFAULT_PROVIDER,
    active_job_id: site.active_job_id ?? null,
    last_backup_id: site.last_backup_id ?? null,
    last_backup_at: site.last_backup_at ?? null,
    last_backup_bytes: site.last_backup_bytes ?? null,
    last_proved_at: site.last_proved_at ?? null,
    last_job: site.last_job ?? null,
    recent_days: site.recent_days ?? null,
  };
}

export function viewNodeSite(site: SiteRecord): NodeSite {
  return { id: site.id, name: site.name, path: site.path, state: site.state, exclude: site.exclude };
}

export function viewNode(node: NodeRecord): Node {
  const hasHeartbeat = node.last_seen_at !== undefined;
  return {
    id: node.id,
    name: node.name,
    state: node.state,
    tenant: node.tenant ?? null,
    created_at: node.created_at,
    quota_bytes: node.quota_bytes ?? null,
    ...(node.version === undefined ? {} : { version: node.version }),
    ...(hasHeartbeat
      ? {
          last_seen_at: node.last_seen_at,
          platform: node.platform,
          disk_free_bytes: node.disk_free_bytes,
          disk_total_bytes: node.disk_total_bytes,
          running_job_id: node.running_job_id ?? null,
          outbox_length: node.outbox_length,
          discovered_sites: node.discovered_sites,
        }
      : {}),
  };
}

export function viewBackup(record: BackupRecord): Backup {
  const { id, job_id, site_id, site_name, node_id, trigger, created_at, s3_path, size_bytes } = record;
  const { archive, started_at, finished_at, stages, warnings, warnings_total } = record;
  const place = { id, job_id, site_id, site_name, node_id, trigger, created_at, s3_path, size_bytes };
  const { hold, verified_at = null, proved_at = null, proof = null, verification_failed: failed } = record;
  const whole = { ...archive, bytes_resumed: archive.bytes_resumed ?? 0 };
  return {
    ...place,
    ...{ archive: whole, started_at, finished_at, stages, warnings, warnings_total },
    origin: record.origin ?? "report",
    provider_id: record.provider_id ?? DEFAULT_PROVIDER,
    hold: hold === undefined ? null : { ...hold, reason: hold.reason ?? null },
    ...{ verified_at, proved_at, proof },
    verification_failed: failed === undefined ? null : { ...failed, job_id: failed.job_id ?? null },
  };
}

export function viewEnrollmentToken(token: EnrollmentTokenRecord, now: Date): EnrollmentToken {
  const isExpired = token.expires_at <= now.toISOString();
  return {
    id: token.id,
    label: token.label,
    tenant: token.tenant ?? null,
    node_id: token.node_id ?? null,
    created_at: token.created_at,
    expires_at: token.expires_at,
    state:
      token.used_by_node_id !== undefined
        ? "used"
        : token.revoked_at !== undefined
          ? "revoked"
          : isExpired
            ? "expired"
            : "open",
    ...(token.used_by_node_id === undefined ? {} : { used_by_node_id: token.used_by_node_id }),
  };
}

export function viewApiToken(token: ApiTokenRecord): ApiToken {
  return {
    id: token.id,
    label: token.label,
    role: token.role,
    tenant: token.tenant ?? null,
    created_at: token.created_at,
    ...(token.expires_at === undefined ? {} : { expires_at: token.expires_at }),
    ...(token.revoked_at === undefined ? {} : { revoked_at: token.revoked_at }),
  };
}
