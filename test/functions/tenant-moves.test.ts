// Sites go from one tenant to another with their jobs and backups, also those of a time before tenants, also when the call
// is cut short; and the lists of two tenants whose records interleave have full pages.
import { randomUUID } from "node:crypto";
import { DynamoDBClient, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRecords } from "#functions/stores/records.ts";
import type { ApiClient } from "#test/helpers/api-client.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { failureReport } from "#test/helpers/reports.ts";
import { hostConfig } from "#test/helpers/stores.ts";

let master: Master;
let shared: TestNode;
let acme: ApiClient;
let bravo: ApiClient;
let minutesAhead = 0;
beforeAll(async () => {
  master = await startMaster({ now: () => new Date(Date.now() + minutesAhead * 60_000) });
  shared = await master.enrolNode("shared.example.com");
  [acme, bravo] = [await master.operator("admin", "acme"), await master.operator("admin", "bravo")];
});
afterAll(() => master.close());

async function makeSite(tenant?: string): Promise<string> {
  const name = `${randomUUID()}.example.com`;
  const body = {
    node_id: shared.id,
    name,
    path: `/var/www/${name}`,
    ...(tenant === undefined ? {} : { tenant }),
  };
  return (await master.admin.call("createSite", { body })).id;
}

const move = (id: string, tenant: string | null) => master.admin.call("patchSite", { id, body: { tenant } });

/** The ids that its lists show of a site, and whether each of them can be read. */
async function seen(
  client: ApiClient,
  siteId: string,
): Promise<Record<"sites" | "jobs" | "backups", string[]>> {
  const all = async (path: string): Promise<{ id: string; site_id?: string }[]> =>
    (await client.request("GET", `${path}?limit=200`)).json.items;
  const of = async (path: string): Promise<string[]> => {
    const ids = (await all(path)).filter(({ site_id: site }) => site === siteId).map(({ id }) => id);
    for (const id of ids) expect((await client.request("GET", `${path}/${id}`)).status).toBe(200);
    return ids.sort();
  };
  const sites = (await all("/sites")).map(({ id }) => id).filter((id) => id === siteId);
  return { sites, jobs: await of("/jobs"), backups: await of("/backups") };
}

const NOTHING = { sites: [], jobs: [], backups: [] };

describe("a site that goes to another tenant", () => {
  test("takes its jobs, backups and alerts along, and is gone for the one it was of", async () => {
    const id = await makeSite("acme");
    const made = await finishBackup(master, shared, id);
    const claim = await shared.client.call("claimJob", {
      id: randomUUID(),
      body: { site_id: id, runner_id: randomUUID(), trigger: "manual", create: true },
    });
    await shared.client.call("reportBackup", { body: failureReport(claim) });
    await master.invoke("watchChore", {});
    const alertsOf = async (client: ApiClient): Promise<unknown[]> =>
      (await client.call("listAlerts")).items.filter(({ target }) => target.id === id);
    const jobs = [made.jobId, claim.job.id].sort();
    const whole = { sites: [id], jobs, backups: [made.id] };
    expect([await seen(acme, id), await seen(bravo, id)]).toEqual([whole, NOTHING]);
    expect([await alertsOf(acme), await alertsOf(bravo)]).toMatchObject([[{ kind: "site_failing" }], []]);

    expect(await move(id, "bravo")).toMatchObject({ tenant: "bravo" });
    expect([await seen(acme, id), await seen(bravo, id)]).toEqual([NOTHING, whole]);
    expect([await alertsOf(acme), await alertsOf(bravo)]).toMatchObject([[], [{ kind: "site_failing" }]]);
    for (const path of [`/sites/${id}`, `/jobs/${jobs[0]}`, `/backups/${made.id}/download`]) {
      expect((await acme.request("GET", path)).status).toBe(404);
    }
    // What is made from now on is the new tenant's.
    const later = await finishBackup(master, shared, id);
    expect((await seen(bravo, id)).backups).toContain(later.id);

    expect(await move(id, null)).toMatchObject({ tenant: null });
    expect([await seen(acme, id), await seen(bravo, id)]).toEqual([NOTHING, NOTHING]);
    expect((await seen(master.admin, id)).backups).toHaveLength(2);
  });

  test("its activity stays where it happened, and the move is told to the new tenant only", async () => {
    const id = await makeSite("acme");
    await move(id, "bravo");
    const actionsOf = async (client: ApiClient): Promise<string[]> =>
      (await client.call("listActivity", { query: { limit: 200 } })).items
        .filter(({ target }) => target.id === id)
        .map(({ action }) => action);
    expect(await actionsOf(acme)).toEqual(["site.created"]);
    expect(await actionsOf(bravo)).toEqual(["site.changed"]);
  });

  test("also with records of a version that knew no tenants", async () => {
    const id = await makeSite();
    const { id: backup, jobId } = await finishBackup(master, shared, id);
    await forgetTenantKeys();
    expect((await seen(master.admin, id)).backups).toEqual([backup]);
    await move(id, "acme");
    expect(await seen(acme, id)).toEqual({ sites: [id], jobs: [jobId], backups: [backup] });
  });

  test("what a call that was cut short has left behind follows with the next watch", async () => {
    const id = await makeSite("acme");
    const { id: backup, jobId } = await finishBackup(master, shared, id);
    const { sites } = openRecords(hostConfig());
    const before = await sites.get(id);
    if (before === undefined) throw new Error("no site");
    const now = new Date(Date.now() + minutesAhead * 60_000).toISOString();
    await sites.change({ before, after: { ...before, tenant: "bravo", tenant_changed_at: now } });

    // Its lists still have them, but nobody is shown what the site no longer has.
    for (const path of [`/jobs/${jobId}`, `/backups/${backup}`]) {
      expect((await acme.request("GET", path)).status).toBe(404);
      expect((await bravo.request("GET", path)).status).toBe(200);
    }
    await master.invoke("watchChore", {});
    expect((await sites.get(id))?.tenant_changed_at).toBe(now);
    minutesAhead += 2;
    await master.invoke("watchChore", {});
    expect(await seen(acme, id)).toEqual(NOTHING);
    expect(await seen(bravo, id)).toEqual({ sites: [id], jobs: [jobId], backups: [backup] });
    expect((await sites.get(id))?.tenant_changed_at).toBeUndefined();
  });

  test("a restore of what is another tenant's by then is not done, and its job forgets where it read", async () => {
    const [from, into] = [await makeSite("acme"), await makeSite("acme")];
    const { id: backup } = await finishBackup(master, shared, from);
    const { job_id: id } = await acme.call("restoreBackup", { id: backup, body: { site_id: into } });
    await move(into, "bravo");
    const body = { site_id: into, runner_id: randomUUID(), trigger: "manual" };
    const claim = await shared.client.request("POST", `/jobs/${id}/claim`, { body });
    expect([claim.status, claim.json.code, claim.text.includes("no longer of one tenant")]).toEqual([
      409,
      "job_ended",
      true,
    ]);
    minutesAhead += 2;
    await master.invoke("watchChore", {});
    expect(await bravo.call("getJob", { id })).toMatchObject({ state: "skipped", source_backup_id: null });
  });
});

describe("a node of a tenant", () => {
  test("has no other tenant's sites, whatever the order", async () => {
    const node = await master.enrolNode("own.example.com", "acme");
    const refused = async (path: string, body: unknown, method = "PATCH"): Promise<void> => {
      const answer = await master.admin.request(method, path, { body });
      expect([path, answer.status, answer.json.code]).toEqual([path, 409, "conflict"]);
    };
    const site = { node_id: node.id, name: "own.example.com", path: "/var/www/own" };
    await refused("/sites", { ...site, tenant: "bravo" }, "POST");
    const { id, tenant } = await master.admin.call("createSite", { body: site });
    expect(tenant).toBe("acme");
    await refused(`/sites/${id}`, { tenant: "bravo" });
    await refused(`/nodes/${node.id}`, { tenant: "bravo" });
    await master.admin.call("patchNode", { id: node.id, body: { tenant: null } });
    expect((await acme.request("GET", `/nodes/${node.id}`)).status).toBe(404);
    expect((await acme.request("GET", `/sites/${id}`)).status).toBe(200);
    await move(id, "bravo");
    await refused(`/nodes/${node.id}`, { tenant: "acme" });
    await forgetTenantKeys();
    expect(await master.admin.call("patchNode", { id: node.id, body: { tenant: "bravo" } })).toMatchObject({
      tenant: "bravo",
    });
    const { items } = await bravo.call("listNodes");
    expect(items.map((one) => one.id)).toEqual([node.id]);
    expect(
      (await bravo.call("listSites", { query: { node_id: node.id } })).items.map((one) => one.id),
    ).toEqual([id]);
  });

  test("does not get one at the same time as another tenant a site of it", async () => {
    for (let round = 0; round < 5; round += 1) {
      const node = await master.enrolNode(`race${round}.example.com`);
      const body = { node_id: node.id, name: "race.example.com", path: "/race", tenant: "acme" };
      const { id } = await master.admin.call("createSite", { body });
      await Promise.allSettled([
        move(id, "bravo"),
        master.admin.call("patchNode", { id: node.id, body: { tenant: "acme" } }),
      ]);
      const tenants = [
        (await master.admin.call("getNode", { id: node.id })).tenant,
        (await master.admin.call("getSite", { id })).tenant,
      ];
      expect([
        ["acme", "acme"],
        [null, "bravo"],
      ]).toContainEqual(tenants);
    }
  });
});

test("lists of tenants whose records interleave have full pages, newest first, and nothing else", async () => {
  const own = new Map<string, string[]>([
    ["acme", []],
    ["bravo", []],
  ]);
  for (let round = 0; round < 5; round += 1) {
    for (const [tenant, ids] of own) {
      const id = await makeSite(tenant);
      await finishBackup(master, shared, id);
      const client = tenant === "acme" ? acme : bravo;
      await client.call("createApiToken", { body: { label: tenant, role: "viewer" } });
      await client.call("createEnrollmentToken", { body: { label: tenant } });
      ids.push(id);
    }
  }
  for (const [client, ids] of [
    [acme, own.get("acme")],
    [bravo, own.get("bravo")],
  ] as const) {
    for (const path of ["/sites", "/jobs", "/backups", "/activity", "/api-tokens", "/enrollment-tokens"]) {
      const items = await fullPages(client, path);
      expect(items.length).toBeGreaterThanOrEqual(5);
      const times = items.map(({ created_at: made, at }) => String(made ?? at));
      expect(times).toEqual(times.toSorted().reverse());
      expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    }
    const sites = (await fullPages(client, "/sites")).map(({ id }) => id);
    expect(sites.slice(0, 5)).toEqual(ids?.toReversed());
  }
});

test("a cursor leads no tenant into another's list", async () => {
  const { next_cursor: cursor } = await bravo.call("listSites", { query: { limit: 1 } });
  for (const path of ["/sites", "/jobs"]) {
    const answer = await acme.request("GET", `${path}?cursor=${encodeURIComponent(String(cursor))}`);
    expect([answer.status, answer.json.code]).toEqual([400, "invalid_request"]);
  }
});

interface Listed {
  readonly id: string;
  readonly created_at?: string;
  readonly at?: string;
}

async function fullPages(client: ApiClient, path: string): Promise<Listed[]> {
  const items: Listed[] = [];
  let next = "";
  do {
    const { json } = await client.request("GET", `${path}?limit=2${next}`);
    items.push(...json.items);
    next = json.next_cursor === null ? "" : `&cursor=${json.next_cursor}`;
    if (next !== "") expect([path, json.items.length]).toEqual([path, 2]);
  } while (next !== "");
  return items;
}

/** As records are that were written before there were tenants. */
async function forgetTenantKeys(): Promise<void> {
  const { tableName: TableName } = hostConfig();
  const client = new DynamoDBClient({});
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  for (const { pk, sk, tenant } of Items) {
    if (tenant !== undefined || pk === undefined || sk === undefined) continue;
    await client.send(
      new UpdateItemCommand({ TableName, Key: { pk, sk }, UpdateExpression: "REMOVE gsi4sk" }),
    );
  }
  client.destroy();
}
