// The API as data: one row per call with who may make it and its schemas. openapi.json, the Master's dispatcher,
// the runner's client and a test against serverless.yml all read this table, so they cannot disagree.
import * as z from "zod";
import { ALERT_OPERATIONS } from "./alert-operations.ts";
import { Activity } from "./contracts/activity.ts";
import { Backup, BackupReport, Download, DownloadQuery, Reported } from "./contracts/backups.ts";
import { BySite, Id, IdPath, PageQuery, page } from "./contracts/common.ts";
import { FleetSummary } from "./contracts/fleet.ts";
import {
  ApiToken,
  CreateApiToken,
  CreatedApiToken,
  CreatedEnrollmentToken,
  CreateEnrollmentToken,
  EnrolledNode,
  EnrollmentToken,
  EnrollNode,
  Me,
  type Role,
} from "./contracts/identity.ts";
import {
  BackupStatus,
  Claim,
  ClaimJob,
  Job,
  JobState,
  PatchedJob,
  PatchJob,
  StartBackup,
  StartedJob,
} from "./contracts/jobs.ts";
import { Heartbeat, HeartbeatAnswer, Node, NodeConfig, PatchNode } from "./contracts/nodes.ts";
import { CreateSite, PatchSite, PutQuota, QuotaCheck, Schedule, Site } from "./contracts/sites.ts";
import { RESTORE_OPERATIONS } from "./restore-operations.ts";
import { SIGN_IN_OPERATIONS } from "./sign-in-operations.ts";
import { STORAGE_OPERATIONS } from "./storage-operations.ts";
import { UPKEEP_OPERATIONS } from "./upkeep-operations.ts";

export const API_BASE = "/api/v1";

/** Who may call: anybody, an enrolled node, or an operator with at least that role. */
export type Access = "public" | "node" | Role;

export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below API_BASE. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Status of the good answer; 204 has no body. */
  readonly status: 200 | 201 | 202 | 204;
  readonly answer?: z.ZodType;
  /** Names the activity record that a good call leaves, for instance `site.created`. */
  readonly activity?: string;
  /** Concerns the whole fleet: refused to the operators of a tenant. All other calls show them what is theirs only. */
  readonly fleetWide?: true;
}

export const OPERATIONS = {
  getHealth: {
    method: "GET",
    path: "/health",
    access: "public",
    summary: "Is the Master up?",
    status: 200,
    answer: z.object({ status: z.literal("ok"), version: z.string(), time: z.iso.datetime() }),
  },
  getOpenapi: {
    method: "GET",
    path: "/openapi.json",
    access: "public",
    summary: "This description",
    status: 200,
    answer: z.record(z.string(), z.unknown()),
  },

  ...SIGN_IN_OPERATIONS,
  getMe: {
    method: "GET",
    path: "/me",
    access: "viewer",
    summary: "Who the caller is and what they may do",
    status: 200,
    answer: Me,
  },
  getFleetSummary: {
    method: "GET",
    path: "/fleet/summary",
    access: "viewer",
    summary: "How many sites are protected, overdue, failing or unprotected",
    status: 200,
    answer: FleetSummary,
  },

  createEnrollmentToken: {
    method: "POST",
    path: "/enrollment-tokens",
    access: "operator",
    summary: "Make a one-time token for a new node",
    body: CreateEnrollmentToken,
    status: 201,
    answer: CreatedEnrollmentToken,
    activity: "enrollment_token.created",
  },
  listEnrollmentTokens: {
    method: "GET",
    path: "/enrollment-tokens",
    access: "operator",
    summary: "Enrolment tokens, newest first",
    query: PageQuery,
    status: 200,
    answer: page(EnrollmentToken),
  },
  deleteEnrollmentToken: {
    method: "DELETE",
    path: "/enrollment-tokens/{id}",
    access: "operator",
    summary: "Revoke an unused token",
    params: IdPath,
    status: 204,
    activity: "enrollment_token.revoked",
  },

  enrollNode: {
    method: "POST",
    path: "/nodes/enroll",
    access: "public",
    summary: "Enrol a node with a one-time token",
    body: EnrollNode,
    status: 201,
    answer: EnrolledNode,
    activity: "node.enrolled",
  },
  getNodeConfig: {
    method: "GET",
    path: "/nodes/config",
    access: "node",
    summary: "The calling node's queue, storage, sites and sealed credentials",
    status: 200,
    answer: NodeConfig,
  },
  heartbeatNode: {
    method: "POST",
    path: "/nodes/heartbeat",
    access: "node",
    summary: "The calling node is alive",
    body: Heartbeat,
    status: 200,
    answer: HeartbeatAnswer,
  },
  listNodes: {
    method: "GET",
    path: "/nodes",
    access: "viewer",
    summary: "Nodes",
    query: PageQuery,
    status: 200,
    answer: page(Node),
  },
  getNode: {
    method: "GET",
    path: "/nodes/{id}",
    access: "viewer",
    summary: "One node",
    params: IdPath,
    status: 200,
    answer: Node,
  },
  patchNode: {
    method: "PATCH",
    path: "/nodes/{id}",
    access: "operator",
    summary: "Rename, disable or enable a node",
    params: IdPath,
    body: PatchNode,
    status: 200,
    answer: Node,
    activity: "node.changed",
  },
  deleteNode: {
    method: "DELETE",
    path: "/nodes/{id}",
    access: "admin",
    summary: "Remove a node without sites, with its queue; its backups stay",
    params: IdPath,
    status: 204,
    activity: "node.removed",
  },
  putNodeQuota: {
    method: "PUT",
    path: "/nodes/{id}/quota",
    access: "operator",
    summary: "Bound the sum of a node's backups",
    params: IdPath,
    body: PutQuota,
    status: 200,
    answer: Node,
    activity: "node.quota_changed",
    fleetWide: true,
  },

  createSite: {
    method: "POST",
    path: "/sites",
    access: "operator",
    summary: "Protect a site",
    body: CreateSite,
    status: 201,
    answer: Site,
    activity: "site.created",
  },
  listSites: {
    method: "GET",
    path: "/sites",
    access: "viewer",
    summary: "Sites, of all nodes or of one",
    query: PageQuery.extend({ node_id: Id.optional() }),
    status: 200,
    answer: page(Site),
  },
  getSite: {
    method: "GET",
    path: "/sites/{id}",
    access: "viewer",
    summary: "One site",
    params: IdPath,
    status: 200,
    answer: Site,
  },
  patchSite: {
    method: "PATCH",
    path: "/sites/{id}",
    access: "operator",
    summary: "Rename, move, pause or resume a site",
    params: IdPath,
    body: PatchSite,
    status: 200,
    answer: Site,
    activity: "site.changed",
  },
  deleteSite: {
    method: "DELETE",
    path: "/sites/{id}",
    access: "admin",
    summary: "Stop protecting a site; its backups stay",
    params: IdPath,
    status: 204,
    activity: "site.removed",
  },
  putSiteSchedule: {
    method: "PUT",
    path: "/sites/{id}/schedule",
    access: "operator",
    summary: "When the site is backed up",
    params: IdPath,
    body: Schedule,
    status: 200,
    answer: Site,
    activity: "site.schedule_changed",
  },
  putSiteQuota: {
    method: "PUT",
    path: "/sites/{id}/quota",
    access: "operator",
    summary: "How many bytes the site's backups may use",
    params: IdPath,
    body: PutQuota,
    status: 200,
    answer: Site,
    activity: "site.quota_changed",
  },
  getSiteQuotaStatus: {
    method: "GET",
    path: "/sites/{id}/quota/status",
    access: "viewer",
    summary: "What the next backup would do to the quotas",
    params: IdPath,
    status: 200,
    answer: QuotaCheck,
  },
  checkSiteQuota: {
    method: "GET",
    path: "/sites/{id}/quota/check",
    access: "node",
    summary: "May the calling node back this site up?",
    params: IdPath,
    status: 200,
    answer: QuotaCheck,
  },

  startBackup: {
    method: "POST",
    path: "/sites/{id}/backup/start",
    access: "operator",
    summary: "Queue a backup on the site's node",
    params: IdPath,
    body: StartBackup,
    status: 202,
    answer: StartedJob,
    activity: "backup.started",
  },
  stopBackup: {
    method: "POST",
    path: "/sites/{id}/backup/stop",
    access: "operator",
    summary: "Stop the queued or running backup",
    params: IdPath,
    status: 202,
    answer: StartedJob,
    activity: "backup.stopped",
  },
  getBackupStatus: {
    method: "GET",
    path: "/sites/{id}/backup/status",
    access: "viewer",
    summary: "The active job and the last one that ended",
    params: IdPath,
    status: 200,
    answer: BackupStatus,
  },

  listJobs: {
    method: "GET",
    path: "/jobs",
    access: "viewer",
    summary: "Jobs, newest first",
    query: BySite.extend({ state: JobState.optional() }),
    status: 200,
    answer: page(Job),
  },
  getJob: {
    method: "GET",
    path: "/jobs/{id}",
    access: "viewer",
    summary: "One job",
    params: IdPath,
    status: 200,
    answer: Job,
  },
  claimJob: {
    method: "POST",
    path: "/jobs/{id}/claim",
    access: "node",
    summary: "Take the lease of a job",
    params: IdPath,
    body: ClaimJob,
    status: 200,
    answer: Claim,
  },
  patchJob: {
    method: "PATCH",
    path: "/jobs/{id}",
    access: "node",
    summary: "Renew the lease, with progress; or give it back",
    params: IdPath,
    body: PatchJob,
    status: 200,
    answer: PatchedJob,
  },

  reportBackup: {
    method: "POST",
    path: "/backups",
    access: "node",
    summary: "How a backup job ended",
    body: BackupReport,
    status: 200,
    answer: Reported,
  },
  listBackups: {
    method: "GET",
    path: "/backups",
    access: "viewer",
    summary: "Backups, newest first",
    query: BySite,
    status: 200,
    answer: page(Backup),
  },
  getBackup: {
    method: "GET",
    path: "/backups/{id}",
    access: "viewer",
    summary: "One backup",
    params: IdPath,
    status: 200,
    answer: Backup,
  },
  downloadBackup: {
    method: "GET",
    path: "/backups/{id}/download",
    access: "operator",
    summary: "A presigned URL of the archive",
    params: IdPath,
    query: DownloadQuery,
    status: 200,
    answer: Download,
    activity: "backup.download_url_made",
  },

  ...RESTORE_OPERATIONS,
  ...UPKEEP_OPERATIONS,
  ...STORAGE_OPERATIONS,

  ...ALERT_OPERATIONS,

  listActivity: {
    method: "GET",
    path: "/activity",
    access: "viewer",
    summary: "Who changed what, newest first",
    query: PageQuery,
    status: 200,
    answer: page(Activity),
  },
  createApiToken: {
    method: "POST",
    path: "/api-tokens",
    access: "admin",
    summary: "Make a token for a person or a program",
    body: CreateApiToken,
    status: 201,
    answer: CreatedApiToken,
    activity: "api_token.created",
  },
  listApiTokens: {
    method: "GET",
    path: "/api-tokens",
    access: "admin",
    summary: "API tokens",
    query: PageQuery,
    status: 200,
    answer: page(ApiToken),
  },
  deleteApiToken: {
    method: "DELETE",
    path: "/api-tokens/{id}",
    access: "admin",
    summary: "Revoke a token",
    params: IdPath,
    status: 204,
    activity: "api_token.revoked",
  },
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof OPERATIONS;

type SchemaOf<K extends OperationId, P extends keyof Operation> = (typeof OPERATIONS)[K] extends {
  readonly [Q in P]: infer S extends z.ZodType;
}
  ? S
  : never;

/** What the handler of K gets and gives, after validation. */
export type Params<K extends OperationId> = [SchemaOf<K, "params">] extends [never]
  ? undefined
  : z.output<SchemaOf<K, "params">>;
export type Query<K extends OperationId> = [SchemaOf<K, "query">] extends [never]
  ? undefined
  : z.output<SchemaOf<K, "query">>;
export type Body<K extends OperationId> = [SchemaOf<K, "body">] extends [never]
  ? undefined
  : z.output<SchemaOf<K, "body">>;
export type Answer<K extends OperationId> = [SchemaOf<K, "answer">] extends [never]
  ? undefined
  : z.output<SchemaOf<K, "answer">>;
/** What a client may write: defaults left out. */
export type BodyInput<K extends OperationId> = [SchemaOf<K, "body">] extends [never]
  ? undefined
  : z.input<SchemaOf<K, "body">>;
export type QueryInput<K extends OperationId> = [SchemaOf<K, "query">] extends [never]
  ? undefined
  : z.input<SchemaOf<K, "query">>;
