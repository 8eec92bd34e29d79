// What the watch finds, and that it finds nothing where nothing is wrong.
import { describe, expect, test } from "vitest";
import type { NodeRecord, SiteRecord } from "#functions/core/records.ts";
import { findProblems, type WatchedFleet } from "#functions/core/watch.ts";
import { aSite, NODE_ID, SITE_ID } from "./job-records.ts";

const NOW = new Date("2030-03-10T12:00:00.000Z");
const hoursAgo = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString();
const NIGHTLY = { expression: "cron(0 2 * * ? *)", time_zone: "UTC", flexible_minutes: 60, enabled: true };

function aNode(fields: Partial<NodeRecord> = {}): NodeRecord {
  return {
    id: NODE_ID,
    life: "live",
    name: "web1",
    state: "active",
    created_at: hoursAgo(1000),
    signing_key: "k",
    age_recipient: "age1",
    queue_url: "q",
    site_count: 1,
    last_seen_at: hoursAgo(0.01),
    ...fields,
  };
}

const healthy = (fields: Partial<SiteRecord> = {}): SiteRecord =>
  aSite({ created_at: hoursAgo(500), schedule: NIGHTLY, last_backup_at: hoursAgo(9.5), ...fields });

function kinds(fleet: Partial<WatchedFleet>): string[] {
  const whole = { sites: [healthy()], nodes: [aNode()], heartbeatSeconds: 60, ...fleet };
  return findProblems(whole, NOW).map(({ kind }) => kind);
}

describe("a fleet in order", () => {
  test("has no problem", () => expect(kinds({})).toEqual([]));
  test("may have paused sites and disabled nodes", () => {
    const sites = [healthy({ state: "paused", last_backup_at: hoursAgo(400) })];
    expect(kinds({ sites, nodes: [aNode({ state: "disabled", last_seen_at: hoursAgo(400) })] })).toEqual([]);
  });
  test("may have a site that came today and waits for its first backup", () => {
    const { last_backup_at: _none, ...site } = healthy({ created_at: hoursAgo(5) });
    expect(kinds({ sites: [site] })).toEqual([]);
    const { schedule: _no, ...bare } = site;
    expect(kinds({ sites: [bare] })).toEqual([]);
  });
  test("may have a backup that still has time: its flexible window and what a backup takes", () => {
    const schedule = { ...NIGHTLY, expression: "cron(0 6 * * ? *)" };
    expect(kinds({ sites: [healthy({ schedule, last_backup_at: hoursAgo(30) })] })).toEqual([]);
  });
});

describe("the watch finds", () => {
  test("a site that is overdue by its own schedule", () => {
    expect(kinds({ sites: [healthy({ last_backup_at: hoursAgo(34) })] })).toEqual(["site_overdue"]);
    const weekly = { ...NIGHTLY, expression: "cron(0 2 ? * MON *)" };
    expect(kinds({ sites: [healthy({ schedule: weekly, last_backup_at: hoursAgo(34) })] })).toEqual([]);
  });
  test("a site whose first backup never came", () => {
    const { last_backup_at: _none, ...site } = healthy();
    expect(kinds({ sites: [site] })).toEqual(["site_overdue"]);
  });
  test("a site whose last backup failed", () => {
    const last_job = { id: SITE_ID, type: "backup", state: "failed", ended_at: hoursAgo(2) } as never;
    expect(kinds({ sites: [healthy({ last_job })] })).toEqual(["site_failing"]);
  });
  test("a site without a schedule", () => {
    const { schedule: _none, ...site } = healthy();
    expect(kinds({ sites: [site] })).toEqual(["site_unprotected"]);
    expect(kinds({ sites: [healthy({ schedule: { ...NIGHTLY, enabled: false } })] })).toEqual([
      "site_unprotected",
    ]);
  });
  test("a node that is silent, once, and not each of its sites", () => {
    const sites = [1, 2, 3].map(() => healthy({ last_backup_at: hoursAgo(200) }));
    const nodes = [aNode({ last_seen_at: hoursAgo(0.3) })];
    const found = findProblems({ sites, nodes, heartbeatSeconds: 60 }, NOW);
    expect(found).toMatchObject([{ kind: "node_silent", target: { kind: "node", id: NODE_ID } }]);
    expect(found[0]?.text).toContain("its 3 sites are not backed up");
    expect(kinds({ nodes: [aNode({ last_seen_at: hoursAgo(0.2) })] })).toEqual([]);
  });
  test("what it does to a tenant's site, where the silent node is not the tenant's", () => {
    const sites = [healthy({ tenant: "acme", last_backup_at: hoursAgo(200) }), healthy({ tenant: "bravo" })];
    const of = (tenant?: string) => {
      const node = aNode({ last_seen_at: hoursAgo(1), ...(tenant === undefined ? {} : { tenant }) });
      return findProblems({ sites, nodes: [node], heartbeatSeconds: 60 }, NOW).map((one) => [
        one.kind,
        one.tenant,
      ]);
    };
    expect(of()).toEqual([
      ["node_silent", undefined],
      ["site_overdue", "acme"],
    ]);
    expect(of("acme")).toEqual([["node_silent", "acme"]]);
  });
  test("a proof that is too old by its own schedule, or never came", () => {
    const proof = { ...NIGHTLY, expression: "cron(0 4 1 * ? *)", deep: true, boot: false };
    const proved = (last_proved_at: string) => ({ sites: [healthy({ proof, last_proved_at })] });
    expect(kinds(proved(hoursAgo(24 * 8)))).toEqual([]);
    expect(kinds(proved(hoursAgo(24 * 20)))).toEqual(["proof_too_old"]);
    expect(kinds({ sites: [healthy({ proof })] })).toEqual(["proof_too_old"]);
  });
  test("a retention that has stopped, until somebody has looked", () => {
    const alarm = { code: "looks_encrypted", message: "files look encrypted", backup_id: "b" } as const;
    const stopped = healthy({ retention_stop: { at: hoursAgo(3), alarms: [alarm] } });
    const found = findProblems({ sites: [stopped], nodes: [aNode()], heartbeatSeconds: 60 }, NOW);
    expect(found).toMatchObject([{ kind: "retention_stopped", target: { kind: "site", id: stopped.id } }]);
    expect(found[0]?.text).toContain("nothing is deleted any more until somebody has looked");
    expect(kinds({ sites: [healthy()] })).toEqual([]);
  });
  test("a WordPress that nobody protects", () => {
    const discovered = [{ path: "/var/www/shop" }, { path: "/var/www/forgotten" }];
    const found = findProblems(
      {
        sites: [healthy()],
        nodes: [aNode({ discovered_sites: discovered })],

        heartbeatSeconds: 60,
      },
      NOW,
    );
    expect(found.map(({ kind, text }) => [kind, text])).toEqual([
      ["site_discovered", "web1 has a WordPress in /var/www/forgotten that nobody protects."],
    ]);
  });
});
