// What a lost table cannot be rebuilt from the archives alone: which nodes and sites there are, with their public keys,
// schedules, retention and quotas, in which storages archives lie, and what people or verifications have said of single
// backups. NDJSON, one record a line, its end counted. No tokens, not even their hashes, and no storage's secret, not even
// sealed: a file that carries rights would be a way to rights.
import * as z from "zod";
import { ErrorReport, Id, SiteName, Timestamp } from "#shared/contracts/common.ts";
import { Finding } from "#shared/contracts/restores.ts";
import { Retention, RetentionAlarm } from "#shared/contracts/retention.ts";
import { ExcludeGlob, ProofSchedule, Schedule, SitePath } from "#shared/contracts/sites.ts";
import { ProviderKind } from "#shared/contracts/storage.ts";
import type { BackupRecord, NodeRecord, ProviderRecord, SiteRecord } from "./records.ts";

const Bytes = z.int().min(0);
const Life = z.enum(["live", "removed"]);

const ManifestProvider = z.object({
  id: Id,
  kind: ProviderKind,
  name: z.string().min(1),
  region: z.string(),
  bucket: z.string(),
  role_arn: z.string().optional(),
  endpoint: z.string().optional(),
  force_path_style: z.boolean().optional(),
  access_key_id: z.string().optional(),
  created_at: Timestamp,
});
const ManifestNode = z.object({
  id: Id,
  life: Life,
  tenant: z.string().optional(),
  name: z.string().min(1),
  state: z.enum(["active", "disabled"]),
  created_at: Timestamp,
  signing_key: z.string(),
  age_recipient: z.string(),
  queue_url: z.string(),
  quota_bytes: Bytes.optional(),
  version: z.string().optional(),
});
const ManifestSite = z.object({
  id: Id,
  life: Life,
  tenant: z.string().optional(),
  node_id: Id,
  name: SiteName,
  path: SitePath,
  state: z.enum(["active", "paused"]),
  created_at: Timestamp,
  schedule: Schedule.optional(),
  proof: ProofSchedule.optional(),
  retention: Retention.optional(),
  retention_accepted_at: Timestamp.optional(),
  retention_stop: z.object({ at: Timestamp, alarms: z.array(RetentionAlarm) }).optional(),
  quota_bytes: Bytes.optional(),
  exclude: z.array(ExcludeGlob),
  storage_provider_id: Id.optional(),
  last_proved_at: Timestamp.optional(),
  last_path_at: Timestamp.optional(),
});
/** What nothing but the record knows of a backup. */
const ManifestBackup = z.object({
  s3_path: z.string(),
  hold: z.object({ at: Timestamp, by: z.string(), reason: z.string().optional() }).optional(),
  verification_failed: z
    .object({
      at: Timestamp,
      job_id: Id.optional(),
      deep: z.boolean(),
      error: ErrorReport,
      findings: z.array(Finding),
    })
    .optional(),
});
export type ManifestBackup = z.infer<typeof ManifestBackup>;

const Head = z.object({ manifest: z.literal(1), written_at: Timestamp, stage: z.string() });
const Line = z.union([
  z.object({ provider: ManifestProvider }),
  z.object({ node: ManifestNode }),
  z.object({ site: ManifestSite }),
  z.object({ backup: ManifestBackup }),
]);
const End = z.object({
  // Older ones have no providers.
  end: z.object({ providers: z.int().default(0), nodes: z.int(), sites: z.int(), backups: z.int() }),
});

export interface Manifest {
  readonly writtenAt: string;
  readonly providers: readonly z.infer<typeof ManifestProvider>[];
  readonly nodes: readonly z.infer<typeof ManifestNode>[];
  readonly sites: readonly z.infer<typeof ManifestSite>[];
  readonly backups: readonly ManifestBackup[];
}

export interface ManifestInput {
  readonly providers: readonly ProviderRecord[];
  readonly nodes: readonly NodeRecord[];
  readonly sites: readonly SiteRecord[];
  readonly backups: readonly Pick<BackupRecord, "s3_path" | "hold" | "verification_failed">[];
}

export function encodeManifest(
  { providers, nodes, sites, backups }: ManifestInput,
  stage: string,
  now: Date,
): string {
  const marked = backups.filter(({ hold, verification_failed: failed }) => hold ?? failed);
  const end = {
    ...{ providers: providers.length, nodes: nodes.length, sites: sites.length, backups: marked.length },
  };
  const lines = [
    { manifest: 1, written_at: now.toISOString(), stage },
    // Parsing leaves out what changes by itself and is learnt again, and secrets.
    ...providers.map((provider) => ({ provider: ManifestProvider.parse(provider) })),
    ...nodes.map((node) => ({ node: ManifestNode.parse(node) })),
    ...sites.map((site) => ({ site: ManifestSite.parse(site) })),
    ...marked.map((backup) => ({ backup: ManifestBackup.parse(backup) })),
    { end },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** @throws Error that names the first line that is wrong, or says that the end is missing. */
export function decodeManifest(text: string): Manifest {
  const lines = text.split("\n").filter((line) => line !== "");
  const [first = "", ...rest] = lines;
  const last = rest.pop() ?? "";
  const head = read(Head, first, 1);
  const end = read(End, last, lines.length).end;
  const records = rest.map((line, at) => read(Line, line, at + 2));
  const manifest: Manifest = {
    writtenAt: head.written_at,
    providers: records.flatMap((one) => ("provider" in one ? [one.provider] : [])),
    nodes: records.flatMap((one) => ("node" in one ? [one.node] : [])),
    sites: records.flatMap((one) => ("site" in one ? [one.site] : [])),
    backups: records.flatMap((one) => ("backup" in one ? [one.backup] : [])),
  };
  const counted = ["providers", "nodes", "sites", "backups"] as const;
  if (counted.some((what) => manifest[what].length !== end[what])) {
    throw new Error("The manifest is not whole: its last line counts other records.");
  }
  return manifest;
}

function read<S extends z.ZodType>(schema: S, line: string, at: number): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`Line ${at} of the manifest is not JSON.`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(`Line ${at} of the manifest is not valid: ${parsed.error.issues[0]?.message ?? "unknown"}`);
}

const KEPT_DAYS = 60;

/** Which manifests of those days are no longer kept; always the newest ones stay. */
export function oldManifests(dates: readonly string[], now: Date): string[] {
  const before = new Date(now.getTime() - KEPT_DAYS * 86_400_000).toISOString().slice(0, 10);
  return dates
    .toSorted()
    .slice(0, -7)
    .filter((date) => date < before);
}
