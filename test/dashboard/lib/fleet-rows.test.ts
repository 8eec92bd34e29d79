// The fleet's table as data: what is found, and in what order.
import { expect, test } from "vitest";
import type { Node } from "#shared/contracts/nodes.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { type FleetView, fleetRows, SORTS, showRows } from "../../../dashboard/lib/fleet-rows.ts";
import { bytes, duration } from "../../../dashboard/lib/format.ts";
import { suggestName, worstFirst } from "../../../dashboard/lib/node-state.ts";
import { parseSize } from "../../../dashboard/lib/parse-size.ts";
import { dayOutcomes, shownDays } from "../../../dashboard/lib/recent-days.ts";

const NOW = new Date("2030-01-10T12:00:00.000Z");
const nightly = { expression: "cron(0 2 * * ? *)", time_zone: "UTC", flexible_minutes: 0, enabled: true };

function site(name: string, fields: Partial<Site> = {}): Site {
  return {
    id: name,
    node_id: "n1",
    name,
    path: `/var/www/${name}`,
    state: "active",
    tenant: null,
    created_at: "2029-01-01T00:00:00.000Z",
    schedule: nightly,
    proof: null,
    retention: null,
    retention_stop: null,
    quota_bytes: null,
    storage_provider_id: "default",
    exclude: [],
    active_job_id: null,
    last_backup_id: null,
    last_backup_at: "2030-01-10T02:10:00.000Z",
    last_backup_bytes: 1,
    last_proved_at: null,
    last_job: null,
    recent_days: null,
    ...fields,
  };
}

const everything: FleetView = {
  search: "",
  health: undefined,
  isUnproved: false,
  sort: "name",
  isReversed: false,
};
const rows = fleetRows(
  [
    site("shop10", { last_backup_bytes: 50 }),
    site("shop9", {
      last_backup_at: "2030-01-01T02:10:00.000Z",
      schedule: { ...nightly, expression: "rate(1 hour)" },
    }),
    site("blog", { node_id: "n2", last_backup_at: null, last_backup_bytes: null, schedule: null }),
  ],
  new Map([
    ["n1", "web1.example.com"],
    ["n2", "web2.example.com"],
  ]),
  NOW,
);
const names = (view: Partial<FleetView>): string[] =>
  showRows(rows, { ...everything, ...view }).map((row) => row.site.name);

test("each order begins with what is looked for", () => {
  expect(Object.fromEntries(SORTS.map((sort) => [sort, names({ sort })]))).toEqual({
    health: ["shop9", "blog", "shop10"],
    name: ["blog", "shop9", "shop10"],
    node: ["shop9", "shop10", "blog"],
    last: ["shop10", "shop9", "blog"],
    size: ["shop10", "shop9", "blog"],
    next: ["shop9", "shop10", "blog"],
  });
  expect(names({ isReversed: true })).toEqual(["shop10", "shop9", "blog"]);
});

test("every word has to be found, in the name, the node or the path", () => {
  expect(names({ search: "WEB1 shop" })).toEqual(["shop9", "shop10"]);
  expect(names({ search: "var blog" })).toEqual(["blog"]);
  expect(names({ search: "blog web1" })).toEqual([]);
  expect(names({ health: "overdue" })).toEqual(["shop9"]);
});

test("days that have passed since the last job are empty", () => {
  const days = dayOutcomes({ until: "2030-01-08", outcomes: `${"s".repeat(29)}f` }, "2030-01-10");
  expect(days.slice(-4)).toEqual([
    { date: "2030-01-07", outcome: "s" },
    { date: "2030-01-08", outcome: "f" },
    { date: "2030-01-09", outcome: "-" },
    { date: "2030-01-10", outcome: "-" },
  ]);
  expect(dayOutcomes(null, "2030-01-10").every(({ outcome }) => outcome === "-")).toBe(true);
});

test("sizes and durations have units and no false precision", () => {
  expect([0, 999, 999.6, 1_234_567, 99_960_000, 5e14].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 KB",
    "1.2 MB",
    "100 MB",
    "500 TB",
  ]);
  expect([0.04, 9.96, 59.6, 61, 3600, 90_000].map(duration)).toEqual([
    "0.0 s",
    "10 s",
    "1 min",
    "1 min 1 s",
    "1 h",
    "1 d 1 h",
  ]);
  expect(["50 GB", "1.5tb", "7", "x", "-1 GB", ""].map(parseSize)).toEqual([
    5e10,
    1.5e12,
    7,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a found site gets a name that the API takes", () => {
  expect(suggestName({ url: "https://shop.example.com/blog", path: "/x" })).toBe("shop.example.com");
  expect(suggestName({ url: undefined, path: "/srv/web/my shop" })).toBe("my-shop");
  expect(suggestName({ url: "https://[::1]/", path: "/ü" })).toBe("site");
});

test("sites whose backups nobody has proved lately are found, those without a backup and paused ones are not", () => {
  const proved = fleetRows(
    [
      site("never"),
      site("old", { last_proved_at: "2029-12-01T00:00:00.000Z" }),
      site("lately", { last_proved_at: "2030-01-01T00:00:00.000Z" }),
      site("paused", { state: "paused" }),
      site("new", { last_backup_at: null }),
    ],
    new Map(),
    NOW,
  );
  const shown = showRows(proved, { ...everything, isUnproved: true });
  expect(shown.map(({ site: { name } }) => name)).toEqual(["never", "old"]);
});

test("nodes that need somebody come first: silent ones, then those whose disk is nearly full", () => {
  const node = (name: string, fields: Partial<Node> = {}): Node => ({
    ...{ id: name, name, state: "active", tenant: null, created_at: "2029-01-01T00:00:00.000Z" },
    ...{ quota_bytes: null, last_seen_at: NOW.toISOString(), running_job_id: null },
    ...{ disk_free_bytes: 100e9, disk_total_bytes: 480e9 },
    ...fields,
  });
  const nodes = [
    node("web10"),
    node("web9"),
    node("full", { disk_free_bytes: 40e9 }),
    node("silent", { last_seen_at: "2030-01-10T11:00:00.000Z" }),
  ];
  expect(worstFirst(nodes, NOW).map(({ name }) => name)).toEqual(["silent", "full", "web9", "web10"]);
});

test("a day without a backup is missed only where the schedule had one due", () => {
  const weekly = { ...nightly, expression: "cron(0 2 ? * MON *)" };
  const outcomes = `${"s".repeat(25)}-----`;
  const late = { until: "2030-01-10", outcomes };
  const shown = (fields: Partial<Site>) =>
    shownDays(site("a", { recent_days: late, ...fields }), "2030-01-10")
      .slice(25)
      .map(({ outcome }) => outcome)
      .join("");
  // The last is today, which is not over.
  expect(shown({})).toBe("!!!!-");
  // The seventh of January 2030 is a Monday.
  expect(shown({ schedule: weekly })).toBe("-!---");
  expect(shown({ state: "paused" })).toBe("-----");
  expect(shown({ schedule: { ...nightly, enabled: false } })).toBe("-----");
  expect(shown({ schedule: null })).toBe("-----");
  expect(shown({ created_at: "2030-01-07T00:10:00.000Z" })).toBe("--!!-");
});
