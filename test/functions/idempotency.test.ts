// A POST with an Idempotency-Key over the wire: one effect and one answer, whatever comes twice, late or at the same time.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Notifier } from "#functions/stores/notifier.ts";
import type { ApiClient, RawAnswer } from "#test/helpers/api-client.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";

let master: Master;
let now = new Date();
let tell: Notifier["tell"];

beforeAll(async () => {
  const notifier: Notifier = { tell: (message) => tell(message), beat: async () => undefined };
  master = await startMaster({ now: () => now, deps: { notifier } });
});
afterAll(async () => master.close());
beforeEach(() => {
  now = new Date();
  tell = async () => [];
});

const post = (client: ApiClient, path: string, key: string, body?: unknown): Promise<RawAnswer> =>
  client.request("POST", path, {
    headers: { "idempotency-key": key },
    ...(body === undefined ? {} : { body }),
  });
const isReplay = ({ headers }: RawAnswer): boolean => headers.get("idempotency-replayed") === "true";
const newToken = (key: string, label = "ci", client = master.admin): Promise<RawAnswer> =>
  post(client, "/api-tokens", key, { label, role: "viewer" });
const labels = async (): Promise<string[]> =>
  (await master.admin.call("listApiTokens", { query: { limit: 200 } })).items.map(({ label }) => label);

test("the same key and request again get the first answer, and nothing is made twice", async () => {
  const key = randomUUID();
  const first = await newToken(key, "once");
  const second = await newToken(key, "once");
  expect([first.status, second.status]).toEqual([201, 201]);
  expect([isReplay(first), isReplay(second)]).toEqual([false, true]);
  expect(second.json).toEqual(first.json);
  expect((await labels()).filter((label) => label === "once")).toHaveLength(1);
  const { items } = await master.admin.call("listActivity");
  expect(items.filter(({ target }) => target.id === first.json.id)).toHaveLength(1);
});

test("the kept answer is sealed: neither the token nor the key is in the table", async () => {
  const key = randomUUID();
  const { json } = await newToken(key);
  await newToken(key);
  const table = JSON.stringify(await master.dumpTable());
  expect(table).toContain("idempotency");
  for (const secret of [json.token, key]) expect(table).not.toContain(secret);
});

test("the same key for another request is refused and changes nothing", async () => {
  const key = randomUUID();
  await newToken(key, "first");
  expect(await newToken(key, "second")).toMatchObject({
    status: 422,
    json: { code: "idempotency_mismatch", retry: "never" },
  });
  expect(await labels()).not.toContain("second");
});

test("a key is its caller's and its call's own", async () => {
  const other = await master.operator("admin");
  const key = randomUUID();
  const [mine, theirs] = [await newToken(key), await newToken(key, "ci", other)];
  const node = await post(master.admin, "/enrollment-tokens", key, {});
  expect([mine.status, theirs.status, node.status]).toEqual([201, 201, 201]);
  expect(theirs.json.token).not.toBe(mine.json.token);
});

test("defaults and spaces make no other request", async () => {
  const key = randomUUID();
  const first = await post(master.admin, "/enrollment-tokens", key);
  const second = await master.admin.request("POST", "/enrollment-tokens", {
    headers: { "idempotency-key": key },
    rawBody: '{ "ttl_seconds" : 3600 }',
  });
  expect([second.json, isReplay(second)]).toEqual([first.json, true]);
});

test.each(["", "1", "a".repeat(36), "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])(
  "the key %j is refused: only a random UUID keeps the answer secret",
  async (key) => {
    const before = await labels();
    expect(await newToken(key, "refused")).toMatchObject({
      status: 400,
      json: { code: "invalid_request", issues: [{ path: "Idempotency-Key" }] },
    });
    expect(await labels()).toEqual(before);
  },
);

test("a call that failed lets its key go", async () => {
  const key = randomUUID();
  tell = () => Promise.reject(new Error("no network"));
  expect(await post(master.admin, "/alerts/test", key)).toMatchObject({ status: 500 });
  tell = async () => [];
  const again = await post(master.admin, "/alerts/test", key);
  expect([again.status, isReplay(again)]).toEqual([200, false]);
});

/** Holds the first call up in the middle until it is let go. */
function holdUp(): { begun: Promise<void>; letGo: () => void } {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  tell = async () => {
    tell = async () => [];
    begun.resolve();
    await gate.promise;
    return [{ name: "late" }];
  };
  return { begun: begun.promise, letGo: gate.resolve };
}

test("while the first is at work, the second is told to wait", async () => {
  const key = randomUUID();
  const { begun, letGo } = holdUp();
  const first = post(master.admin, "/alerts/test", key);
  await begun;
  const second = await post(master.admin, "/alerts/test", key);
  expect(second).toMatchObject({ status: 409, json: { code: "idempotency_in_flight", retry: "later" } });
  expect(second.headers.get("retry-after")).toBe("1");
  letGo();
  expect((await first).status).toBe(200);
  const third = await post(master.admin, "/alerts/test", key);
  expect([third.json, isReplay(third)]).toEqual([(await first).json, true]);
});

test("a call that died holds its key no longer than Lambda would have let it work", async () => {
  const key = randomUUID();
  const { begun, letGo } = holdUp();
  const dead = post(master.admin, "/alerts/test", key);
  await begun;
  now = new Date(now.getTime() + 60_000);
  const second = await post(master.admin, "/alerts/test", key);
  expect([second.status, isReplay(second)]).toEqual([200, false]);
  letGo();
  await dead;
  const third = await post(master.admin, "/alerts/test", key);
  expect([third.json, isReplay(third)]).toEqual([second.json, true]);
});

test("after a day a key is as good as new, though DynamoDB may still have its record", async () => {
  const key = randomUUID();
  const first = await newToken(key);
  now = new Date(now.getTime() + 25 * 3_600_000);
  const second = await newToken(key);
  expect([second.status, isReplay(second)]).toEqual([201, false]);
  expect(second.json.token).not.toBe(first.json.token);
});

test("of many at once, one has the effect and none has another answer", async () => {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 8 }, () => newToken(key, "many")));
  const good = answers.filter(({ status }) => status === 201);
  expect(new Set(good.map(({ text }) => text)).size).toBe(1);
  for (const { status, json } of answers) {
    if (status !== 201) expect([status, json.code]).toEqual([409, "idempotency_in_flight"]);
  }
  expect((await labels()).filter((label) => label === "many")).toHaveLength(1);
});
