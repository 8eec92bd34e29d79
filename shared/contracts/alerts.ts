// Alerts: what is wrong with the fleet and has been told.
import * as z from "zod";
import { Id, Timestamp } from "./common.ts";

export const PROBLEM_KINDS = [
  "node_silent",
  "site_failing",
  "site_overdue",
  "site_unprotected",
  "proof_too_old",
  "backups_missing",
  "retention_stopped",
  "site_discovered",
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export const Alert = z.object({
  key: z.string().describe("The same for as long as it is the same problem"),
  kind: z.enum(PROBLEM_KINDS),
  target: z.object({ kind: z.enum(["site", "node"]), id: Id }),
  text: z.string(),
  opened_at: Timestamp,
  told_at: Timestamp.describe("When people were last told"),
  told: z.int().min(1).describe("How often they were"),
});
export type Alert = z.infer<typeof Alert>;

export const OpenAlerts = z.object({ items: z.array(Alert) });

export const TestedTargets = z.object({
  targets: z.array(z.object({ name: z.string(), error: z.string().nullable() })),
});
