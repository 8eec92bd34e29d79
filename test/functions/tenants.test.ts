// Two tenants on one Master: an operator of one, even an admin, sees nothing of the other and changes nothing of it, by
// whatever call. A new call without a line here fails.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPERATIONS, type Operation, type OperationId } from "#shared/operations.ts";
import type { RawAnswer } from "#test/helpers/api-client.ts";
import { enrol, type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { makeTenancy, type Tenancy } from "#test/helpers/two-tenants.ts";

let master: Master;
let shared: TestNode;
let acme: Tenancy;
let bravo: Tenancy;
beforeAll(async () => {
  master = await startMaster();
  shared = await master.enrolNode("shared.example.com");
  acme = await makeTenancy(master, "acme", shared);
  bravo = await makeTenancy(master, "bravo", shared);
  // Makes the alerts of the failing sites.
  await master.invoke("watchChore", {});
});
afterAll(() => master.close());

interface Case {
  readonly id?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
/** A call about the things of `whose`. */
type MakeCase = (whose: Tenancy) => Case;

const SCHEDULE = { expression: "rate(1 day)" };
const RETENTION = { keep_last: 3, min_keep: 1 };

/** Every call of an operator, in an order in which all of them can be made; those of the whole fleet need no line. */
const CASES: Partial<Record<OperationId, MakeCase>> = {
  getMe: () => ({}),
  getFleetSummary: () => ({}),
  listEnrollmentTokens: () => ({}),
  listApiTokens: () => ({}),
  listNodes: () => ({}),
  getNode: ({ node }) => ({ id: node.id }),
  listSites: ({ node }) => ({ query: { node_id: node.id } }),
  getSite: ({ sites }) => ({ id: sites.backups }),
  getSiteQuotaStatus: ({ sites }) => ({ id: sites.backups }),
  getBackupStatus: ({ sites }) => ({ id: sites.queued }),
  listJobs: ({ sites }) => ({ query: { site_id: sites.backups } }),
  getJob: ({ jobs }) => ({ id: jobs.done }),
  listBackups: ({ sites }) => ({ query: { site_id: sites.backups } }),
  getBackup: ({ backups }) => ({ id: backups.kept }),
  downloadBackup: ({ backups }) => ({ id: backups.kept }),
  listBackupFiles: ({ backups }) => ({ id: backups.kept, query: { prefix: "wp-content" } }),
  getBackupFile: ({ backups }) => ({ id: backups.kept, query: { path: "database.sql" } }),
  listAlerts: () => ({}),
  listActivity: () => ({}),
  putBackupHold: ({ backups }) => ({ id: backups.kept, body: { held: true } }),
  createEnrollmentToken: ({ tenant }) => ({ body: { tenant, label: tenant } }),
  createApiToken: ({ tenant }) => ({ body: { tenant, label: tenant, role: "viewer" } }),
  createSite: ({ node, tenant }) => ({
    body: { node_id: node.id, name: `new.${tenant}.example.com`, path: `/srv/${tenant}` },
  }),
  patchNode: ({ node, tenant }) => ({ id: node.id, body: { name: `renamed.${tenant}.example.com` } }),
  patchSite: ({ sites, tenant }) => ({
    id: sites.backups,
    body: { name: `renamed.${tenant}.example.com`, path: `/srv/moved/${tenant}`, state: "active" },
  }),
  putSiteSchedule: ({ sites }) => ({ id: sites.backups, body: SCHEDULE }),
  putSiteProof: ({ sites }) => ({ id: sites.backups, body: SCHEDULE }),
  putSiteQuota: ({ sites }) => ({ id: sites.backups, body: { quota_bytes: 1_000_000 } }),
  putSiteRetention: ({ sites }) => ({ id: sites.backups, body: RETENTION }),
  previewSiteRetention: ({ sites }) => ({ id: sites.backups }),
  deleteSiteRetention: ({ sites }) => ({ id: sites.backups }),
  startBackup: ({ sites }) => ({ id: sites.start, body: {} }),
  stopBackup: ({ sites }) => ({ id: sites.start }),
  cancelJob: ({ jobs }) => ({ id: jobs.queued }),
  restoreBackup: ({ backups, sites }) => ({ id: backups.kept, body: { site_id: sites.stop } }),
  undoRestore: ({ sites }) => ({ id: sites.restore, body: {} }),
  verifyBackup: ({ backups }) => ({ id: backups.kept, body: {} }),
  deleteBackup: ({ backups }) => ({ id: backups.deleted }),
  deleteSite: ({ sites }) => ({ id: sites.removed }),
  deleteEnrollmentToken: ({ enrollmentToken }) => ({ id: enrollmentToken }),
  deleteApiToken: ({ apiToken }) => ({ id: apiToken }),
  deleteNode: ({ node }) => ({ id: node.id }),
};

/** Whose answer of the tenant's own is another one, and which. */
const OWN_STATUS: Partial<Record<OperationId, number>> = {
  // Its sites are still there.
  deleteNode: 409,
};

function operatorCalls(): [OperationId, Operation][] {
  const all = Object.entries(OPERATIONS) as [OperationId, Operation][];
  return all.filter(([, { access }]) => access !== "public" && access !== "node");
}

function caseOf(id: OperationId): MakeCase {
  const make = CASES[id];
  if (make === undefined) throw new Error(`${id} needs a case in this file, or to be for the whole fleet`);
  return make;
}

function send(
  { admin }: Tenancy,
  operation: Operation,
  { id = "", query = {}, body }: Case,
): Promise<RawAnswer> {
  const search = new URLSearchParams(query).toString();
  const path = `${operation.path.replace("{id}", id)}${search === "" ? "" : `?${search}`}`;
  const content = body ?? (operation.body === undefined ? undefined : {});
  return admin.request(operation.method, path, content === undefined ? {} : { body: content });
}

function expectNothingOf({ marks }: Tenancy, { text, headers }: RawAnswer, asked: Case = {}): void {
  const told = `${text} ${JSON.stringify([...headers])}`;
  const said = JSON.stringify(asked);
  // What the caller said themselves may be said back.
  const found = marks.filter((mark) => told.includes(mark) && !said.includes(mark));
  expect(found).toEqual([]);
}

describe("each call of an operator of acme", () => {
  test.each(operatorCalls())("%s: nothing of bravo", async (id, operation) => {
    const before = await master.dumpTable();
    if (operation.fleetWide === true) {
      const answer = await send(acme, operation, { id: bravo.node.id });
      expect([answer.status, answer.json.code]).toEqual([403, "fleet_owner_only"]);
    } else {
      const asked = caseOf(id)(bravo);
      const answer = await send(acme, operation, asked);
      expectNothingOf(bravo, answer, asked);
      if (asked.id !== undefined || operation.method !== "GET") {
        expect(answer.status).toBe(
          asked.id === undefined && operation.method === "POST" && id !== "createSite" ? 403 : 404,
        );
      }
      await expectSameAsAbsent(operation, asked, answer);
    }
    expect(await master.dumpTable()).toEqual(before);
  });

  test("the same calls about its own things are answered, without a word of bravo", async () => {
    expect(Object.keys(CASES).sort()).toEqual(
      operatorCalls()
        .filter(([, { fleetWide }]) => fleetWide !== true)
        .map(([id]) => id)
        .sort(),
    );
    const bravosBefore = await itemsOf(bravo);
    for (const [id, make] of Object.entries(CASES) as [OperationId, MakeCase][]) {
      const operation: Operation = OPERATIONS[id];
      const answer = await send(acme, operation, make(acme));
      expect([id, answer.status, answer.json?.detail]).toEqual([
        id,
        OWN_STATUS[id] ?? operation.status,
        answer.status < 400 ? undefined : expect.anything(),
      ]);
      expectNothingOf(bravo, answer);
      if (Array.isArray(answer.json?.items)) expect([id, answer.json.items.length]).not.toEqual([id, 0]);
    }
    expect(await itemsOf(bravo)).toEqual(bravosBefore);
  });

  test("lists without a filter have nothing of bravo either, to the last page", async () => {
    for (const path of [
      "/sites",
      "/nodes",
      "/jobs",
      "/backups",
      "/activity",
      "/api-tokens",
      "/enrollment-tokens",
    ]) {
      let cursor = "";
      do {
        const answer = await acme.admin.request("GET", `${path}?limit=3${cursor}`);
        expect(answer.status).toBe(200);
        expectNothingOf(bravo, answer);
        cursor = answer.json.next_cursor === null ? "" : `&cursor=${answer.json.next_cursor}`;
      } while (cursor !== "");
    }
  });

  test("its counts are of what it has", async () => {
    const { sites, nodes } = await acme.admin.call("getFleetSummary");
    const listed = await acme.admin.call("listSites", { query: { limit: 200 } });
    const listedNodes = await acme.admin.call("listNodes", { query: { limit: 200 } });
    expect([sites.total, nodes.total]).toEqual([listed.items.length, listedNodes.items.length]);
  });

  test("its activity has what it did, and what the fleet's owner did to its things", async () => {
    const { items } = await acme.admin.call("listActivity", { query: { limit: 200 } });
    const actions = new Set(items.map(({ action }) => action));
    for (const [, { activity, fleetWide }] of operatorCalls()) {
      if (activity === undefined || fleetWide === true || activity === "node.removed") continue;
      expect(actions).toContain(activity);
    }
    expect(actions).toContain("node.enrolled");
    const byOwner = items.filter(({ actor }) => actor.label === "bootstrap").map(({ action }) => action);
    for (const action of ["site.created", "backup.deleted", "backup.started", "api_token.created"]) {
      expect(byOwner).toContain(action);
    }
  });
});

/** As with ids that nobody has: a refusal must not tell that something is there. */
async function expectSameAsAbsent(operation: Operation, asked: Case, answer: RawAnswer): Promise<void> {
  const text = JSON.stringify(asked);
  const uuids = [...new Set(text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? [])];
  if (uuids.length === 0) return;
  let absent = text;
  const names = new Map(uuids.map((uuid) => [uuid, randomUUID()]));
  for (const [uuid, other] of names) absent = absent.replaceAll(uuid, other);
  const other = await send(acme, operation, JSON.parse(absent) as Case);
  let expected = other.text;
  for (const [uuid, stranger] of names) expected = expected.replaceAll(stranger, uuid);
  const plain = (json: string): unknown => {
    const { request_id: _request, ...rest } = JSON.parse(json) as Record<string, unknown>;
    return rest;
  };
  expect(other.status).toBe(answer.status);
  expect(plain(answer.text)).toEqual(plain(expected));
}

/** What the table has of a tenant, byte for byte. */
async function itemsOf({ marks }: Tenancy): Promise<unknown[]> {
  return (await master.dumpTable()).filter((item) => marks.some((mark) => String(item).includes(mark)));
}

describe("what a tenant may say", () => {
  test("a token or a node of another tenant, or of the whole fleet, cannot be made", async () => {
    for (const path of ["/api-tokens", "/enrollment-tokens"]) {
      const body = { label: "x", ...(path === "/api-tokens" ? { role: "admin" } : {}) };
      const refused = await acme.admin.request("POST", path, { body: { ...body, tenant: "bravo" } });
      expect([refused.status, refused.json.code]).toEqual([403, "fleet_owner_only"]);
      const made = await acme.admin.request("POST", path, { body });
      expect([made.status, made.json.tenant]).toEqual([201, "acme"]);
    }
    const lesser = await master.operator("operator", "acme");
    const refused = await lesser.request("POST", "/api-tokens", { body: { label: "x", role: "viewer" } });
    expect([refused.status, refused.json.code]).toEqual([403, "role_too_low"]);
  });

  test("a node that it enrols is its own", async () => {
    const { token } = await acme.admin.call("createEnrollmentToken", { body: {} });
    const node = await enrol(master.url, token, "second", master.audience, () => new Date());
    expect(await acme.admin.call("getNode", { id: node.id })).toMatchObject({ tenant: "acme" });
    expect((await bravo.admin.request("GET", `/nodes/${node.id}`)).status).toBe(404);
  });

  test("nothing goes to another tenant by its own hand", async () => {
    for (const [path, tenant] of [
      [`/sites/${acme.sites.start}`, "bravo"],
      [`/sites/${acme.sites.start}`, null],
      [`/nodes/${acme.node.id}`, "bravo"],
      [`/nodes/${acme.node.id}`, null],
    ] as const) {
      const answer = await acme.admin.request("PATCH", path, { body: { tenant } });
      expect([answer.status, answer.json.code]).toEqual([403, "fleet_owner_only"]);
    }
  });
});

describe("a site on a shared node", () => {
  test("is there for its tenant, and the node and its other sites are not", async () => {
    const site = await acme.admin.call("getSite", { id: acme.sharedSite });
    expect(site).toMatchObject({ tenant: "acme", node_id: shared.id });
    expect((await acme.admin.request("GET", `/nodes/${shared.id}`)).status).toBe(404);
    expect((await acme.admin.request("GET", `/sites?node_id=${shared.id}`)).json.items).toEqual([]);
    const { items } = await acme.admin.call("listSites", { query: { limit: 200 } });
    expect(items.map(({ id }) => id)).toContain(acme.sharedSite);
    const started = await acme.admin.call("startBackup", { id: acme.sharedSite, body: {} });
    await acme.admin.call("cancelJob", { id: started.job_id });
  });

  test("what its neighbours use is not told, only that there is no room", async () => {
    await master.admin.call("putNodeQuota", { id: shared.id, body: { quota_bytes: 1 } });
    const status = await acme.admin.call("getSiteQuotaStatus", { id: acme.sharedSite });
    expect(status).toMatchObject({
      can_proceed: false,
      would_exceed_node_quota: true,
      node_used_bytes: null,
      node_quota_bytes: null,
      reason: "There is no room left on the site's node.",
    });
    expect(await master.admin.call("getSiteQuotaStatus", { id: acme.sharedSite })).toMatchObject({
      node_quota_bytes: 1,
    });
    await master.admin.call("putNodeQuota", { id: shared.id, body: { quota_bytes: null } });
  });

  test("where it lies, what it may use and other directories of the node are not for its tenant to say", async () => {
    const { items } = await acme.admin.call("listBackups", { query: { site_id: acme.sharedSite } });
    const backup = items[0]?.id;
    const attempts: [string, string, unknown][] = [
      ["PATCH", `/sites/${acme.sharedSite}`, { path: "/var/www/shared.bravo.example.com" }],
      ["PATCH", `/sites/${acme.sharedSite}`, { name: "shared.bravo.example.com" }],
      ["PUT", `/sites/${acme.sharedSite}/quota`, { quota_bytes: null }],
      ["POST", `/backups/${backup}/restore`, { to: "/var/www/shared.bravo.example.com/wp-content/new" }],
      ["POST", `/backups/${acme.backups.kept}/restore`, { to: "/root/x", site_id: acme.sharedSite }],
      ["POST", `/backups/${backup}/verify`, { deep: true, boot: true }],
      ["PUT", `/sites/${acme.sharedSite}/proof`, { ...SCHEDULE, deep: true, boot: true }],
    ];
    const before = await master.dumpTable();
    for (const [method, path, body] of attempts) {
      const answer = await acme.admin.request(method, path, { body });
      expect([path, answer.status, answer.json.code]).toEqual([path, 403, "fleet_owner_only"]);
      expectNothingOf(bravo, answer, { body });
    }
    const site = { node_id: shared.id, name: "x.example.com", path: "/var/www/x" };
    expect((await acme.admin.request("POST", "/sites", { body: site })).status).toBe(404);
    expect(await master.dumpTable()).toEqual(before);
    const own = await acme.admin.request("POST", `/backups/${acme.backups.kept}/restore`, {
      body: { to: "/root/new", dry_run: true, site_id: acme.sites.failing },
    });
    expect(own.status).toBe(202);
  });

  test("a call about its own things that names one of bravo's is refused as if that were not there", async () => {
    const before = await master.dumpTable();
    const attempts: [string, unknown][] = [
      [`/backups/${acme.backups.kept}/restore`, { site_id: bravo.sites.start }],
      [`/backups/${bravo.backups.kept}/restore`, { site_id: acme.sites.start }],
      ["/sites", { node_id: bravo.node.id, name: "x.example.com", path: "/x", tenant: "acme" }],
    ];
    for (const [path, body] of attempts) {
      const answer = await acme.admin.request("POST", path, { body });
      expect([path, answer.status]).toEqual([path, 404]);
      expectNothingOf(bravo, answer, { id: path, body });
    }
    expect(await master.dumpTable()).toEqual(before);
  });

  test("no restore takes data from one tenant to another, by whomever", async () => {
    const body = { site_id: bravo.sites.start };
    const answer = await master.admin.request("POST", `/backups/${acme.backups.kept}/restore`, { body });
    expect([answer.status, answer.json.code]).toEqual([409, "conflict"]);
  });
});
