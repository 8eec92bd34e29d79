// The fleet in one look: how many sites need somebody, before any list is read.
import * as z from "zod";
import { Bytes, Timestamp } from "./common.ts";

const Count = z.int().min(0);

export const FleetSummary = z.object({
  at: Timestamp,
  /** By the rule of shared/site-health.ts. */
  sites: z.object({
    total: Count,
    failing: Count,
    overdue: Count,
    unprotected: Count,
    protected: Count,
    paused: Count,
    unproved: Count.describe("With backups, of which none was proved to restore in the last 31 days"),
    running: Count.describe("With a job queued or running, whatever their health"),
  }),
  /** WordPress sites that nodes have found and nobody protects. */
  discovered_sites: Count,
  nodes: z.object({
    total: Count,
    silent: Count.describe("Enabled, and not heard of for three heartbeats"),
    disabled: Count,
  }),
  /** Of each site's newest backup: what a restore of the whole fleet would read. */
  newest_backups_bytes: Bytes,
});
export type FleetSummary = z.infer<typeof FleetSummary>;
