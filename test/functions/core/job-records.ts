// Jobs and sites as test data: a queued manual job of a site that has it as its active one.
import type { JobRecord, SiteRecord } from "#functions/core/records.ts";

export const NODE_ID = "11111111-1111-4111-8111-111111111111";
export const SITE_ID = "22222222-2222-4222-8222-222222222222";
export const JOB_ID = "33333333-3333-4333-8333-333333333333";
export const RUNNER_A = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
export const RUNNER_B = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
export const NOW = new Date("2030-01-01T03:00:00.000Z");

export const later = (seconds: number, from: Date = NOW): Date => new Date(from.getTime() + seconds * 1000);

export function aSite(fields: Partial<SiteRecord> = {}): SiteRecord {
  return {
    id: SITE_ID,
    version: 1,
    life: "live",
    node_id: NODE_ID,
    name: "shop.example.com",
    path: "/var/www/shop",
    state: "active",
    created_at: "2029-01-01T00:00:00.000Z",
    exclude: [],
    ...fields,
  };
}

export function aJob(fields: Partial<JobRecord> = {}): JobRecord {
  return {
    id: JOB_ID,
    version: 1,
    type: "backup",
    site_id: SITE_ID,
    site_name: "shop.example.com",
    node_id: NODE_ID,
    trigger: "manual",
    state: "queued",
    created_at: NOW.toISOString(),
    deadline_at: later(86_400).toISOString(),
    attempt: 0,
    max_attempts: 1,
    fencing: 0,
    cancel_requested: false,
    ...fields,
  };
}

/** Running under fencing number 1, with a lease of 300 s from NOW. */
export function aRunningJob(fields: Partial<JobRecord> = {}): JobRecord {
  return aJob({
    state: "running",
    attempt: 1,
    fencing: 1,
    runner_id: RUNNER_A,
    lease_expires_at: later(300).toISOString(),
    started_at: NOW.toISOString(),
    path_at: NOW.toISOString(),
    s3_path: `/${NODE_ID}/${SITE_ID}/shop.example.com_20300101_030000.tar.zst`,
    ...fields,
  });
}
