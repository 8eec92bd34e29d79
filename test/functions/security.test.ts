// What must not work, over the wire: each attempt is refused with a clear problem, and nothing in the table changes.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "#shared/contracts/common.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { API_BASE, OPERATIONS, type Operation } from "#shared/operations.ts";
import type { ApiClient, RawAnswer } from "#test/helpers/api-client.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

let master: Master;
let node: TestNode;
let otherNode: TestNode;
let site: Site;
beforeAll(async () => {
  master = await startMaster();
  [node, otherNode] = [await master.enrolNode("one"), await master.enrolNode("two")];
  site = await master.createSite(node.id);
});
afterAll(() => master.close());

/** Does it, and expects a whole problem document of that code and an untouched table. */
async function expectRefused(
  attempt: () => Promise<RawAnswer>,
  status: number,
  code: string,
): Promise<RawAnswer> {
  const before = await master.dumpTable();
  const answer = await attempt();
  expect([answer.status, answer.json?.code]).toEqual([status, code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = Problem.parse(answer.json);
  expect(problem.hint.length).toBeGreaterThan(10);
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d/);
  expect(await master.dumpTable()).toEqual(before);
  return answer;
}

describe("who calls", () => {
  const asNode = (token: () => Promise<string>): Promise<RawAnswer> =>
    token().then((text) => master.withToken(text).request("GET", "/nodes/config"));
  const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

  test("a node's good token works, so that the refusals below mean something", async () => {
    expect((await asNode(() => node.sign())).status).toBe(200);
  });

  test("every operation that is not public refuses a call without a token", async () => {
    for (const operation of Object.values(OPERATIONS) as Operation[]) {
      if (operation.access === "public") continue;
      const path = operation.path.replace("{id}", site.id);
      const body = operation.body === undefined ? {} : { body: {} };
      await expectRefused(
        () => master.anonymous.request(operation.method, path, body),
        401,
        "unauthenticated",
      );
    }
  });

  test.each<[string, string, () => Promise<string>]>([
    ["an expired JWT", "token_expired", () => node.sign({ iat: inSeconds(-200), exp: inSeconds(-100) })],
    ["a JWT that lives too long", "token_invalid", () => node.sign({ exp: inSeconds(3600) })],
    ["a JWT from the future", "token_invalid", () => node.sign({ iat: inSeconds(300), exp: inSeconds(360) })],
    ["a JWT without an expiry", "token_invalid", () => node.sign({ exp: undefined })],
    ["another audience", "token_invalid", () => node.sign({ aud: "another-master" })],
    ["another key", "token_invalid", () => node.sign({}, generateKeyPairSync("ed25519").privateKey)],
    ["another node's key", "token_invalid", () => node.sign({}, otherNode.privateKey)],
    ["another subject", "token_invalid", () => node.sign({ sub: otherNode.id })],
    ["an unknown node", "token_invalid", () => node.sign({ iss: randomUUID() })],
    ["an issuer that is no id", "token_invalid", () => node.sign({ iss: "../../x" })],
    [
      "alg none",
      "token_invalid",
      async () =>
        new UnsecuredJWT({ iss: node.id, sub: node.id, aud: master.audience })
          .setIssuedAt()
          .setExpirationTime("1m")
          .encode(),
    ],
    [
      "HS256 with the public key as the secret",
      "token_invalid",
      () =>
        new SignJWT({ iss: node.id, sub: node.id, aud: master.audience })
          .setProtectedHeader({ alg: "HS256" })
          .setIssuedAt()
          .setExpirationTime("1m")
          .sign(Buffer.from(node.signingKey)),
    ],
    ["an unknown API token", "token_invalid", async () => `bkp_${"x".repeat(43)}`],
    ["rubbish", "token_invalid", async () => "rubbish"],
  ])("%s is refused", async (_name, code, token) => {
    await expectRefused(() => asNode(token), 401, code);
  });

  test("a disabled node is refused until it is enabled again", async () => {
    const third = await master.enrolNode("three");
    await master.admin.call("patchNode", { id: third.id, body: { state: "disabled" } });
    await expectRefused(() => third.client.request("GET", "/nodes/config"), 403, "node_disabled");
    await master.admin.call("patchNode", { id: third.id, body: { state: "active" } });
    expect((await third.client.request("GET", "/nodes/config")).status).toBe(200);
    await master.admin.call("deleteNode", { id: third.id });
    await expectRefused(() => third.client.request("GET", "/nodes/config"), 401, "token_invalid");
  });

  test("a revoked API token is refused at once", async () => {
    const made = await master.admin.call("createApiToken", { body: { label: "ci", role: "viewer" } });
    const client = master.withToken(made.token);
    expect((await client.request("GET", "/sites")).status).toBe(200);
    await master.admin.call("deleteApiToken", { id: made.id });
    await expectRefused(() => client.request("GET", "/sites"), 401, "token_revoked");
  });

  test("neither tokens nor their hashes come out of any list", async () => {
    const made = await master.admin.call("createApiToken", { body: { label: "ci", role: "viewer" } });
    const enrolment = await master.admin.call("createEnrollmentToken", { body: {} });
    for (const path of ["/api-tokens", "/enrollment-tokens", "/activity", "/nodes"]) {
      const { text } = await master.admin.request("GET", path);
      for (const secret of [made.token, enrolment.token, '"hash"', "signing_key", node.signingKey]) {
        expect(text).not.toContain(secret);
      }
    }
    expect(JSON.stringify(await master.dumpTable())).not.toContain(made.token);
  });
});

describe("what they may do", () => {
  test("a viewer reads and starts nothing", async () => {
    const viewer = await master.operator("viewer");
    expect((await viewer.request("GET", `/sites/${site.id}`)).status).toBe(200);
    const start = () => viewer.request("POST", `/sites/${site.id}/backup/start`, { body: {} });
    await expectRefused(start, 403, "role_too_low");
  });

  test("every role is held to its operations", async () => {
    const clients: [string, ApiClient][] = [
      ["viewer", await master.operator("viewer")],
      ["operator", await master.operator("operator")],
      ["node", node.client],
      ["admin", master.admin],
    ];
    const rank = { viewer: 0, operator: 1, admin: 2 };
    for (const operation of Object.values(OPERATIONS) as Operation[]) {
      const { access } = operation;
      if (access === "public") continue;
      for (const [who, client] of clients) {
        const isNodeCall = access === "node";
        const mayCall = isNodeCall ? who === "node" : who !== "node" && rank[who as "admin"] >= rank[access];
        if (mayCall) continue;
        const request = operation.body === undefined ? {} : { body: {} };
        const path = operation.path.replace("{id}", site.id);
        const attempt = () => client.request(operation.method, path, request);
        await expectRefused(attempt, 403, "role_too_low");
      }
    }
  });

  test("a node gets nowhere on another node's site and job", async () => {
    const { job_id: jobId } = await master.admin.call("startBackup", { id: site.id, body: {} });
    const claim = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" };
    const stranger = otherNode.client;
    const attempts: [string, string, unknown?][] = [
      ["GET", `/sites/${site.id}/quota/check`],
      ["POST", `/jobs/${jobId}/claim`, claim],
      ["POST", `/jobs/${randomUUID()}/claim`, { ...claim, create: true }],
    ];
    for (const [method, path, body] of attempts) {
      await expectRefused(() => stranger.request(method, path, { body }), 403, "not_your_site");
    }
    await node.client.call("claimJob", { id: jobId, body: { ...claim, trigger: "manual" } });
    const patch = () => stranger.request("PATCH", `/jobs/${jobId}`, { body: { fencing: 1 } });
    await expectRefused(patch, 403, "not_your_site");
    const release = { fencing: 1, release: { code: "x", message: "y" } };
    await expectRefused(
      () => stranger.request("PATCH", `/jobs/${jobId}`, { body: release }),
      403,
      "not_your_site",
    );
    const report = {
      job_id: jobId,
      site_id: site.id,
      fencing: 1,
      status: "cancelled",
      started_at: new Date().toISOString(),
      finished_at: new Date().toISOString(),
    };
    await expectRefused(() => stranger.request("POST", "/backups/", { body: report }), 403, "not_your_site");
    await node.client.call("reportBackup", { body: { ...report, status: "cancelled" } });
  });
});

describe("what they send", () => {
  const post =
    (rawBody: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    (): Promise<RawAnswer> =>
      master.admin.request("POST", "/sites", { rawBody, headers });
  const withName = (name: unknown) => (): Promise<RawAnswer> =>
    master.admin.request("POST", "/sites", { body: { node_id: node.id, name, path: "/var/www/x" } });

  test("a body of 2 MB, as text and as bytes", async () => {
    const big = JSON.stringify({ name: "x".repeat(2_000_000) });
    await expectRefused(post(big), 413, "payload_too_large");
    const asBytes = post(Buffer.from(big), { "content-type": "application/octet-stream" });
    await expectRefused(asBytes, 413, "payload_too_large");
  });

  test("a body beyond API Gateway's own limit", async () => {
    const answer = await post("x".repeat(10 * 1024 * 1024 + 1))();
    expect(answer.status).toBe(413);
  });

  test("malformed JSON, and bytes that are no UTF-8", async () => {
    await expectRefused(post('{"name":'), 400, "malformed_json");
    const broken = Buffer.from('{"name":"\xff"}', "latin1");
    await expectRefused(post(broken, { "content-type": "application/json; x=1" }), 400, "invalid_request");
  });

  test("another media type", async () => {
    await expectRefused(post("name=x", { "content-type": "text/plain" }), 415, "unsupported_media_type");
    await expectRefused(post("<x/>", { "content-type": "application/xml" }), 415, "unsupported_media_type");
  });

  test("unknown fields, each named", async () => {
    const body = { node_id: node.id, name: "a", path: "/a", is_admin: true, __proto__x: 1 };
    const answer = await expectRefused(
      () => master.admin.request("POST", "/sites", { body }),
      400,
      "invalid_request",
    );
    expect(answer.json.issues.map((issue: { path: string }) => issue.path).sort()).toEqual([
      "__proto__x",
      "is_admin",
    ]);
  });

  test("all faults at once, with their paths", async () => {
    const body = { node_id: "x", name: "", path: "relative", schedule: { expression: "", time_zone: "" } };
    const answer = await expectRefused(
      () => master.admin.request("POST", "/sites", { body }),
      400,
      "invalid_request",
    );
    const paths = new Set(answer.json.issues.map((issue: { path: string }) => issue.path));
    for (const path of ["node_id", "name", "path", "schedule.expression"]) expect(paths).toContain(path);
  });

  test.each([
    ["a slash", "a/b"],
    ["..", ".."],
    ["a path upwards", "../../etc"],
    ["quotes", "a\"b'c"],
    ["emoji", "shop🛒"],
    ["300 characters", "a".repeat(300)],
    ["a line break", "a\nb"],
    ["a NUL", "a\0b"],
    ["a leading dash", "-rf"],
    ["nothing", ""],
    ["a number", 7],
    ["null", null],
  ])("a site name with %s", async (_what, name) => {
    await expectRefused(withName(name), 400, "invalid_request");
  });

  test.each(["relative", "/a/../b", "/a//b", "/a/", "/", "/a/./b", "/a\0b"])(
    "a site path like %j",
    async (path) => {
      const body = { node_id: node.id, name: "fine", path };
      await expectRefused(() => master.admin.request("POST", "/sites", { body }), 400, "invalid_request");
    },
  );

  test.each([
    ["schedule.expression", { expression: "every day" }],
    ["schedule.expression", { expression: "cron(0 3 * * *)" }],
    ["schedule.expression", { expression: "rate(1 days)" }],
    ["schedule.time_zone", { expression: "rate(1 day)", time_zone: "Mars/Olympus" }],
  ])("a wrong %s: %j", async (path, schedule) => {
    const body = { node_id: node.id, name: "fine", path: "/fine", schedule };
    const answer = await expectRefused(
      () => master.admin.request("POST", "/sites", { body }),
      400,
      "invalid_request",
    );
    expect(answer.json.issues[0].path).toBe(path);
  });

  test.each(["x", "..%2fnodes", "1' OR '1'='1", "%00", "%ff"])("an id like %s", async (id) => {
    await expectRefused(() => master.admin.request("GET", `/sites/${id}`), 400, "invalid_request");
  });

  test("cursors that no list gave, or another one", async () => {
    const sites = await master.admin.call("listJobs", { query: { limit: 1 } });
    const foreign = sites.next_cursor ?? "x";
    const tampered = `${foreign.slice(0, -2)}AA`;
    for (const cursor of ["x", "e30", foreign, tampered]) {
      const read = () => master.admin.request("GET", `/nodes?cursor=${encodeURIComponent(cursor)}`);
      await expectRefused(read, 400, "invalid_request");
    }
  });

  test("limits outside of 1 to 200, and unknown parameters", async () => {
    for (const query of ["limit=0", "limit=201", "limit=x", "limt=3", "site_id=x"]) {
      await expectRefused(() => master.admin.request("GET", `/jobs?${query}`), 400, "invalid_request");
    }
  });

  test("unknown ids", async () => {
    const id = randomUUID();
    const gets = [
      "/sites/ID",
      "/nodes/ID",
      "/jobs/ID",
      "/backups/ID",
      "/backups/ID/download",
      "/sites/ID/quota/status",
    ];
    for (const path of gets) {
      await expectRefused(() => master.admin.request("GET", path.replace("ID", id)), 404, "not_found");
    }
    for (const path of ["/sites/ID", "/nodes/ID", "/api-tokens/ID", "/enrollment-tokens/ID"]) {
      await expectRefused(() => master.admin.request("DELETE", path.replace("ID", id)), 404, "not_found");
    }
    const start = () => master.admin.request("POST", `/sites/${id}/backup/start`, { body: {} });
    await expectRefused(start, 404, "not_found");
  });
});

describe("enrolment", () => {
  const enrol = (token: string, signingKey: string) => () =>
    master.anonymous.request("POST", "/nodes/enroll", {
      body: {
        token,
        name: "intruder",
        signing_key: signingKey,
        age_recipient: `age1${"q".repeat(58)}`,
        version: "1",
      },
    });
  const freshKey = (): string => String(generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x);

  test("a used, a revoked and an invented token are refused alike", async () => {
    const used = await master.admin.call("createEnrollmentToken", { body: {} });
    expect((await enrol(used.token, freshKey())()).status).toBe(201);
    const revoked = await master.admin.call("createEnrollmentToken", { body: {} });
    await master.admin.call("deleteEnrollmentToken", { id: revoked.id });
    for (const token of [used.token, revoked.token, `bkpe_${"x".repeat(43)}`]) {
      await expectRefused(enrol(token, freshKey()), 401, "enrollment_token_invalid");
    }
  });

  test("the key of an enrolled node is refused, and the token stays good", async () => {
    const { token } = await master.admin.call("createEnrollmentToken", { body: {} });
    await expectRefused(enrol(token, node.signingKey), 409, "conflict");
    expect((await enrol(token, freshKey())()).status).toBe(201);
  });
});

describe("paths", () => {
  test("a slash at the end leads to the path without it, with the query", async () => {
    const answer = await master.admin.request("GET", "/sites/?limit=3");
    expect([answer.status, answer.headers.get("location")]).toEqual([308, `${API_BASE}/sites?limit=3`]);
  });

  test("what is not there is 404, what takes another method is 405", async () => {
    await expectRefused(() => master.admin.request("GET", "/nothing"), 404, "not_found");
    await expectRefused(() => master.admin.request("GET", "/api/v1//evil.example/"), 404, "not_found");
    const answer = await expectRefused(
      () => master.admin.request("PUT", "/sites", { body: {} }),
      405,
      "method_not_allowed",
    );
    expect(answer.json.detail).toContain("POST, GET");
  });
});
