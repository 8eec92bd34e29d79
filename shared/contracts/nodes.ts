// A node: what operators see of it, what it says of itself, and what the Master hands it to work with.
import * as z from "zod";
import { Bytes, Id, Label, Tenant, Timestamp } from "./common.ts";
import { NodeSite } from "./sites.ts";
import { ProviderFeatures, ProviderId } from "./storage.ts";

export const DiscoveredSite = z.strictObject({
  path: z.string().min(1).max(4096),
  url: z.string().max(500).optional(),
});

export const Heartbeat = z.strictObject({
  version: z.string().max(64),
  platform: z.string().max(120),
  disk_free_bytes: Bytes,
  disk_total_bytes: Bytes,
  running_job_id: Id.nullable(),
  outbox_length: z.int().min(0),
  discovered_sites: z.array(DiscoveredSite).max(2000).default([]),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

export const HeartbeatAnswer = z.object({
  server_time: Timestamp,
  /** The node refetches its config when this changes. */
  config_revision: z.string(),
});
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;

export const Node = z.object({
  id: Id,
  name: Label,
  state: z.enum(["active", "disabled"]),
  tenant: Tenant.nullable().describe("Whose it is, with all its sites; null = its sites may be of several"),
  created_at: Timestamp,
  last_seen_at: Timestamp.optional(),
  version: z.string().optional(),
  platform: z.string().optional(),
  disk_free_bytes: Bytes.optional(),
  disk_total_bytes: Bytes.optional(),
  running_job_id: Id.nullable().optional(),
  outbox_length: z.int().optional(),
  discovered_sites: z.array(DiscoveredSite).optional(),
  quota_bytes: Bytes.nullable().describe("Bounds the sum of its sites; null = no limit"),
});
export type Node = z.infer<typeof Node>;

export const PatchNode = z.strictObject({
  name: Label.optional(),
  state: z.enum(["active", "disabled"]).optional(),
  tenant: Tenant.nullable()
    .optional()
    .describe("For operators of the whole fleet; all its sites must be of it"),
});

const StorageKeys = z.object({
  access_key_id: z.string(),
  secret_access_key: z.string(),
  session_token: z.string().optional(),
  expires_at: Timestamp.optional().describe("Absent for static keys"),
});
export type StorageKeys = z.infer<typeof StorageKeys>;

/** What `credentials` holds once opened with the node's age identity. Lives in memory only. */
export const NodeCredentials = StorageKeys.extend({
  /** Of the storages beside the default one that the node's sites use, by provider. */
  providers: z.record(z.string(), StorageKeys).optional(),
});
export type NodeCredentials = z.infer<typeof NodeCredentials>;

/** A place for archives. */
export const NodeStorage = z.object({
  bucket: z.string(),
  region: z.string(),
  endpoint: z.url().optional().describe("Absent on AWS"),
  prefix: z.string().describe("Every key of this node begins with it: `{node_uuid}/`"),
  /** Absent for the default one. */
  provider_id: ProviderId.optional(),
  force_path_style: z.boolean().optional().describe("Absent: where there is an endpoint"),
  features: ProviderFeatures.optional().describe("What a test has found; absent: not tested"),
});
export type NodeStorage = z.infer<typeof NodeStorage>;

export const NodeConfig = z.object({
  node_id: Id,
  revision: z.string(),
  server_time: Timestamp,
  queue: z.object({ url: z.url(), region: z.string(), endpoint: z.url().optional() }),
  storage: NodeStorage.describe("The default one"),
  storages: z.array(NodeStorage).default([]).describe("The others that the node's sites use"),
  /** age file, ASCII-armoured, encrypted to the node's recipient: JSON of `NodeCredentials`. */
  credentials: z.string(),
  limits: z.object({
    heartbeat_seconds: z.number().positive(),
    progress_seconds: z.number().positive(),
    upload_bytes_per_second: Bytes.nullable(),
  }),
  sites: z.array(NodeSite),
});
export type NodeConfig = z.infer<typeof NodeConfig>;
