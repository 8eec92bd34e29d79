// May the next backup of a site go ahead? Usage is what the backup records add up to, never a kept counter.
import type { QuotaCheck } from "#shared/contracts/sites.ts";
import { formatBytes } from "#shared/units.ts";

export interface UsedBackup {
  readonly site_id: string;
  readonly created_at: string;
  readonly size_bytes: number;
}

export interface QuotaInput {
  readonly siteId: string;
  readonly siteQuotaBytes: number | undefined;
  readonly nodeQuotaBytes: number | undefined;
  /** All backups of the site's node, in any order. */
  readonly backups: readonly UsedBackup[];
}

/** The next backup is taken to be as big as the newest. Using a quota up exactly is allowed. */
export function checkQuota(input: QuotaInput): QuotaCheck {
  const own = input.backups.filter((backup) => backup.site_id === input.siteId);
  const usedBytes = sum(own);
  const nodeUsedBytes = sum(input.backups);
  const newest = own.reduce<UsedBackup | undefined>(
    (best, backup) => (best === undefined || backup.created_at > best.created_at ? backup : best),
    undefined,
  );
  const estimatedBytes = newest?.size_bytes ?? 0;
  const overSite = exceeds(usedBytes, estimatedBytes, input.siteQuotaBytes);
  const overNode = exceeds(nodeUsedBytes, estimatedBytes, input.nodeQuotaBytes);
  const reasons = [
    ...(overSite ? [describe("site", usedBytes, estimatedBytes, input.siteQuotaBytes ?? 0)] : []),
    ...(overNode ? [describe("node", nodeUsedBytes, estimatedBytes, input.nodeQuotaBytes ?? 0)] : []),
  ];
  return {
    site_id: input.siteId,
    can_proceed: reasons.length === 0,
    used_bytes: usedBytes,
    quota_bytes: input.siteQuotaBytes ?? null,
    estimated_bytes: estimatedBytes,
    projected_bytes: usedBytes + estimatedBytes,
    node_used_bytes: nodeUsedBytes,
    node_quota_bytes: input.nodeQuotaBytes ?? null,
    would_exceed_site_quota: overSite,
    would_exceed_node_quota: overNode,
    reason: reasons.length === 0 ? null : reasons.join(" "),
  };
}

/** For a tenant whose site shares its node: what the others use there is not for them, only that it is too much. */
export function withoutNode(check: QuotaCheck): QuotaCheck {
  const reason = check.would_exceed_site_quota
    ? siteReason(check)
    : "There is no room left on the site's node.";
  return {
    ...check,
    node_used_bytes: null,
    node_quota_bytes: null,
    reason: check.can_proceed ? null : reason,
  };
}

function siteReason({ used_bytes: used, estimated_bytes: next, quota_bytes: quota }: QuotaCheck): string {
  return describe("site", used, next, quota ?? 0);
}

function sum(backups: readonly UsedBackup[]): number {
  return backups.reduce((total, backup) => total + backup.size_bytes, 0);
}

/** A full quota refuses even a first backup, of which nothing is known: it cannot be empty. */
function exceeds(usedBytes: number, nextBytes: number, quotaBytes: number | undefined): boolean {
  return quotaBytes !== undefined && usedBytes + Math.max(nextBytes, 1) > quotaBytes;
}

function describe(whose: string, usedBytes: number, nextBytes: number, quotaBytes: number): string {
  const next = nextBytes === 0 ? "the first backup" : `a backup of about ${formatBytes(nextBytes)}`;
  return `The ${whose}'s backups use ${formatBytes(usedBytes)} of ${formatBytes(quotaBytes)}; ${next} would not fit.`;
}
