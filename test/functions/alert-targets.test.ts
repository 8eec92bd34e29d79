// Where alerts go, set up over the API: added, listed without a secret, tested and removed one by one, and kept in the
// parameter that the watch reads. The watch's beat reaches the watchdog that was set.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openNotifier } from "#functions/stores/notifier.ts";
import { ALERT_TARGETS } from "#local/ssm/kept-parameter.ts";
import { type HttpsReceiver, startHttpsReceiver } from "#test/helpers/https-receiver.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";

const SECRET = "0123456789abcdef";

let master: Master;
let receiver: HttpsReceiver;
beforeAll(async () => {
  receiver = await startHttpsReceiver();
  master = await startMaster();
});
afterAll(async () => {
  await master?.close();
  await receiver?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  receiver.received.length = 0;
  receiver.status = 200;
  for (const { id } of (await master.admin.call("listAlertTargets")).items) {
    await master.admin.call("deleteAlertTarget", { id });
  }
});

const webhook = (path = "/T0/s3cret") => ({ kind: "webhook" as const, url: `${receiver.url}${path}` });
const host = (): string => new URL(receiver.url).host;

test("a webhook is added, listed by its host, tested by itself and removed", async () => {
  const body = { ...webhook(), secret: SECRET };
  const added = await master.admin.call("createAlertTarget", { body });
  expect(added).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{12}$/),
    kind: "webhook",
    name: `the webhook at ${host()}`,
    is_signed: true,
  });
  await master.admin.call("createAlertTarget", { body: webhook("/other") });
  expect((await master.admin.call("listAlertTargets")).items[0]).toEqual(added);
  const { id, name } = added;
  expect(await master.admin.call("testAlertTarget", { id })).toEqual({ id, name, error: null });
  expect(receiver.received).toEqual([
    { method: "POST", path: "/T0/s3cret", body: expect.stringContaining("this is a test") },
  ]);
  receiver.status = 404;
  expect(await master.admin.call("testAlertTarget", { id })).toMatchObject({ error: "It answered 404." });
  await master.admin.call("deleteAlertTarget", { id });
  const { items } = await master.admin.call("listAlertTargets");
  expect(items.map((item) => item.id)).not.toContain(id);
  expect(items).toHaveLength(1);
});

test("no address and no secret comes back, neither in an answer nor in the activity", async () => {
  const body = { ...webhook(), secret: SECRET };
  const { id } = await master.admin.call("createAlertTarget", { body });
  const answers = [
    await master.admin.request("GET", "/alerts/targets"),
    await master.admin.request("POST", `/alerts/targets/${id}/test`),
    await master.admin.request("DELETE", `/alerts/targets/${id}`),
    await master.admin.request("GET", "/activity"),
  ];
  for (const { text } of answers) {
    expect(text).not.toContain("s3cret");
    expect(text).not.toContain(SECRET);
  }
});

test("there is one sender of e-mail and one watchdog: another takes its place", async () => {
  for (const to of ["a@example.com", "b@example.com"]) {
    await master.admin.call("createAlertTarget", {
      body: { kind: "email", from: "x@example.com", to: [to] },
    });
    await master.admin.call("createAlertTarget", {
      body: { kind: "heartbeat", url: `${receiver.url}/${to}` },
    });
  }
  const { items } = await master.admin.call("listAlertTargets");
  expect(items.map(({ name }) => name)).toEqual(["e-mail to b@example.com", `the watchdog at ${host()}`]);
});

test("the watch's beat reaches the watchdog that was set, and a test of it is a beat, too", async () => {
  const body = { kind: "heartbeat" as const, url: `${receiver.url}/ping/abc` };
  const { id } = await master.admin.call("createAlertTarget", { body });
  await openNotifier({ alertTopicArn: undefined, alertTargetsParameter: ALERT_TARGETS }).beat();
  expect(receiver.received).toEqual([{ method: "GET", path: "/ping/abc", body: "" }]);
  await master.invoke("watchChore", {});
  expect(receiver.received).toHaveLength(2);
  expect(await master.admin.call("testAlertTarget", { id })).toMatchObject({ error: null });
  expect(receiver.received).toHaveLength(3);
  receiver.status = 500;
  await expect(
    openNotifier({ alertTopicArn: undefined, alertTargetsParameter: ALERT_TARGETS }).beat(),
  ).rejects.toThrow("500");
});

test.each([
  [{ kind: "webhook", url: "http://hooks.example.com/x" }],
  [{ kind: "webhook", url: "https://user:password@hooks.example.com/x" }],
  [{ kind: "webhook", url: "https://hooks.example.com/x", secret: "short" }],
  [{ kind: "email", from: "nobody", to: ["ops@example.com"] }],
  [{ kind: "email", from: "a@example.com", to: [] }],
  [{ kind: "heartbeat", url: "file:///etc/passwd" }],
])("refuses %j and changes nothing", async (body) => {
  const { status, json, text } = await master.admin.request("POST", "/alerts/targets", { body });
  expect([status, json.code]).toEqual([400, "invalid_request"]);
  expect(text).not.toContain("password@");
  expect((await master.admin.call("listAlertTargets")).items).toEqual([]);
});

test("is for admins of the whole fleet, and knows no target that is not there", async () => {
  for (const client of [await master.operator("operator"), await master.operator("admin", "acme")]) {
    for (const [method, path] of [
      ["GET", "/alerts/targets"],
      ["DELETE", "/alerts/targets/0123456789ab"],
      ["POST", "/alerts/targets/0123456789ab/test"],
    ] as const) {
      expect((await client.request(method, path)).status).toBe(403);
    }
  }
  // The local stack has no topic.
  for (const id of ["0123456789ab", "topic"]) {
    expect((await master.admin.request("POST", `/alerts/targets/${id}/test`)).status).toBe(404);
    expect((await master.admin.request("DELETE", `/alerts/targets/${id}`)).status).toBe(404);
  }
});

test("ten webhooks are enough", async () => {
  for (let count = 0; count < 10; count += 1) {
    await master.admin.call("createAlertTarget", { body: webhook(`/${count}`) });
  }
  const { status, json } = await master.admin.request("POST", "/alerts/targets", { body: webhook("/more") });
  expect([status, json.code]).toEqual([409, "conflict"]);
});
