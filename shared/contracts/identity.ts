// Who may call: enrolment of nodes and API tokens of operators.
import * as z from "zod";
import { Id, Label, Tenant, Timestamp } from "./common.ts";

/** Each role may do what the ones before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

export const CreateEnrollmentToken = z.strictObject({
  label: Label.default("node"),
  ttl_seconds: z.int().min(60).max(604_800).default(3_600),
  tenant: Tenant.optional().describe(
    "Whose the node and its sites will be; the caller's own, if they have one",
  ),
  node_id: Id.optional().describe(
    "Not for a new node: this one gets new keys, and keeps its sites and backups. Its old keys end",
  ),
});

export const EnrollmentToken = z.object({
  id: Id,
  label: Label,
  created_at: Timestamp,
  expires_at: Timestamp,
  state: z.enum(["open", "used", "revoked", "expired"]),
  tenant: Tenant.nullable(),
  node_id: Id.nullable().describe("The node that gets new keys; null = a new node"),
  used_by_node_id: Id.optional(),
});
export type EnrollmentToken = z.infer<typeof EnrollmentToken>;

/** The only answer that carries the secret. */
export const CreatedEnrollmentToken = EnrollmentToken.extend({
  token: z.string().describe("Shown once"),
  command: z.string().describe("What to run on the node"),
});

export const EnrollNode = z.strictObject({
  token: z.string().min(20).max(200),
  name: Label.describe("The node's host name"),
  /** Ed25519, SPKI as base64url of the 32 raw bytes: JWK `x` (RFC 8037). */
  signing_key: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be the x of an Ed25519 JWK"),
  age_recipient: z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/, "must be an age X25519 recipient"),
  version: z.string().max(64),
});
export type EnrollNode = z.infer<typeof EnrollNode>;

export const EnrolledNode = z.object({
  node_id: Id,
  audience: z.string().describe("The `aud` of the tokens that the node signs"),
});
export type EnrolledNode = z.infer<typeof EnrolledNode>;

export const CreateApiToken = z.strictObject({
  label: Label,
  role: Role,
  ttl_seconds: z.int().min(60).max(31_536_000).optional(),
  tenant: Tenant.optional().describe("All that its bearer will see; the caller's own, if they have one"),
});

export const ApiToken = z.object({
  id: Id,
  label: Label,
  role: Role,
  tenant: Tenant.nullable(),
  created_at: Timestamp,
  expires_at: Timestamp.optional(),
  revoked_at: Timestamp.optional(),
});
export type ApiToken = z.infer<typeof ApiToken>;

export const CreatedApiToken = ApiToken.extend({ token: z.string().describe("Shown once") });

/** Who the caller is, for a page or program that shows only what will work. */
export const Me = z.object({
  id: z.string(),
  label: z.string(),
  role: Role,
  tenant: Tenant.nullable().describe("Null for who sees the whole fleet"),
});
export type Me = z.infer<typeof Me>;
