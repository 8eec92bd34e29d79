// The API as data: one row per call with who may make it and its schemas. openapi.json, the Master's dispatcher,
// the runner's client and a test against serverless.yml all read this table, so they cannot disagree.
import * as z from "zod";
import { ACCESS_OPERATIONS } from "./access-operations.ts";
import { ALERT_OPERATIONS } from "./alert-operations.ts";
import { BACKUP_OPERATIONS } from "./backup-operations.ts";
import { FleetSummary } from "./contracts/fleet.ts";
import { Me, type Role } from "./contracts/identity.ts";
import { NODE_OPERATIONS } from "./node-operations.ts";
import { RESTORE_OPERATIONS } from "./restore-operations.ts";
import { SIGN_IN_OPERATIONS } from "./sign-in-operations.ts";
import { SITE_OPERATIONS } from "./site-operations.ts";
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

  ...NODE_OPERATIONS,

  ...SITE_OPERATIONS,

  ...BACKUP_OPERATIONS,

  ...RESTORE_OPERATIONS,
  ...UPKEEP_OPERATIONS,
  ...STORAGE_OPERATIONS,

  ...ALERT_OPERATIONS,

  ...ACCESS_OPERATIONS,
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
