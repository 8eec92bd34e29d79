// The client of the Master over real HTTP: what it sends, and what it makes of everything that can come back.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "#runner/clock.ts";
import { generateNodeKeys, tokenSigner } from "#runner/io/identity.ts";
import { createMasterClient, type MasterClient } from "#runner/io/master-client.ts";
import { callWithRetry } from "#runner/io/retrying-master.ts";
import { IdempotencyKey } from "#shared/contracts/common.ts";
import { BackupError } from "#shared/errors.ts";
import { type FakeMaster, problem, type Scripted, startFakeMaster } from "#test/fakes/fake-master.ts";

const BEAT = {
  ...{ version: "0", platform: "linux", disk_free_bytes: 1, disk_total_bytes: 2 },
  ...{ running_job_id: null, outbox_length: 0 },
};

let master: FakeMaster;
let client: MasterClient;

beforeEach(async () => {
  master = await startFakeMaster();
  const keys = await generateNodeKeys();
  const now = (): Date => new Date();
  const open = createMasterClient({ masterUrl: master.url, now, timeoutMs: 2_000, userAgent: "test" });
  const answer = await open.call("enrollNode", {
    body: {
      token: master.enrollmentToken,
      name: "n",
      signing_key: keys.signingKey.x,
      age_recipient: keys.ageRecipient,
      version: "0",
    },
  });
  const signToken = tokenSigner(
    {
      v: 1,
      master_url: master.url,
      node_id: answer.node_id,
      name: "n",
      audience: answer.audience,
      enrolled_at: "",
      signing_key: keys.signingKey,
      age_identity: keys.ageIdentity,
    },
    now,
  );
  client = createMasterClient({ masterUrl: master.url, signToken, now, timeoutMs: 300, userAgent: "test" });
});
afterEach(() => master[Symbol.asyncDispose]());

const failure = (promise: Promise<unknown>): Promise<BackupError> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: BackupError) => error,
  );
const config = (): Promise<unknown> => client.call("getNodeConfig", {});
const answering = (answer: Scripted): void => master.script("getNodeConfig", () => answer);

describe("a call", () => {
  test("is signed anew each time and gives the parsed answer", async () => {
    await expect(config()).resolves.toMatchObject({ node_id: master.nodeId });
    await expect(config()).resolves.toMatchObject({ node_id: master.nodeId });
  });

  test("that the Master refuses keeps its code, detail and hint", async () => {
    answering(problem("over_quota", { detail: "2 GiB too much", hint: "Buy more." }));
    const error = await failure(config());
    expect(error).toBeInstanceOf(BackupError);
    expect(error).toMatchObject({
      code: "over_quota",
      message: "2 GiB too much",
      hint: "Buy more.",
      retry: "never",
    });
  });

  test.each([
    [
      "a code of a newer Master",
      { status: 409, body: { code: "site_on_fire", detail: "hot" } },
      "master_refused",
    ],
    ["a gateway's 503", { status: 503, body: { message: "Service Unavailable" } }, "internal"],
    ["a gateway's 429", { status: 429, body: { message: "Too Many Requests" } }, "rate_limited"],
    [
      "a proxy's 403",
      { status: 403, body: "<html>", headers: { "content-type": "text/html" } },
      "master_refused",
    ],
    ["an answer that is not the contract's", { status: 200, body: { node_id: 7 } }, "master_refused"],
    ["a redirect", { status: 301, headers: { location: "https://x.example.com/" } }, "master_refused"],
  ] as const)("makes sense of %s", async (_, answer, code) => {
    answering(answer);
    const error = await failure(config());
    expect(error).toMatchObject({ code });
    expect(error.hint).not.toBe("");
  });

  test("does not send its token after a redirect", async () => {
    let visits = 0;
    const other = createServer((_, response) => {
      visits += 1;
      response.end();
    });
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    const { port } = other.address() as AddressInfo;
    answering({ status: 307, headers: { location: `http://127.0.0.1:${port}/` } });
    expect((await failure(config())).message).toContain("redirects to");
    expect(visits).toBe(0);
    await new Promise((resolve) => {
      other.close(resolve);
    });
  });

  test("says why no answer came", async () => {
    answering("hang");
    expect(await failure(config())).toMatchObject({
      code: "master_unreachable",
      message: /no answer within/,
    });
    answering("hang up");
    expect(await failure(config())).toMatchObject({
      code: "master_unreachable",
      message: /connection was cut/,
    });
    await master.goAway();
    expect(await failure(config())).toMatchObject({ code: "master_unreachable", message: /was refused/ });
  });

  test("ends with its caller's reason when that aborts", async () => {
    answering("hang");
    const abort = new AbortController();
    const called = failure(client.call("getNodeConfig", { signal: abort.signal }));
    abort.abort(new BackupError("interrupted"));
    expect(await called).toMatchObject({ code: "interrupted" });
  });

  test("with a clock that is off is told so, with the seconds", async () => {
    master.now = () => new Date(Date.now() - 600_000);
    const error = await failure(config());
    expect(error.code).toBe("token_expired");
    expect(error.hint).toMatch(/clock is (599|600|601) s ahead/);
    master.now = () => new Date(Date.now() + 600_000);
    expect((await failure(config())).hint).toMatch(/clock is (599|600|601) s behind/);
  });
});

describe("retries", () => {
  /** Sleeps take no time, but are counted and move the clock. */
  function countingClock(): Clock & { waits: number[] } {
    const waits: number[] = [];
    let nowMs = 0;
    return {
      waits,
      now: () => new Date(),
      monotonicMs: () => nowMs,
      random: () => 1 - Number.EPSILON,
      async sleep(ms) {
        waits.push(ms);
        nowMs += ms;
      },
    };
  }

  test("go on until it works", async () => {
    let left = 3;
    master.script("getNodeConfig", () => (left-- > 0 ? "hang up" : undefined));
    const clock = countingClock();
    await callWithRetry(client, { clock, deadlineMs: 60_000 }).call("getNodeConfig", {});
    expect(clock.waits).toEqual([499, 999, 1999]);
  });

  test("of a POST go by one key, and each call by its own", async () => {
    let left = 2;
    master.script("heartbeatNode", () => (left-- > 0 ? "hang up" : undefined));
    const patient = callWithRetry(client, { clock: countingClock(), deadlineMs: 60_000 });
    const before = master.calls.length;
    for (let call = 0; call < 2; call += 1) await patient.call("heartbeatNode", { body: BEAT });
    await patient.call("getNodeConfig", {});
    const keys = master.calls.slice(before).map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toEqual([keys[0], keys[0], keys[0], keys[3], undefined]);
    expect(keys[3]).not.toBe(keys[0]);
    for (const key of [keys[0], keys[3]]) expect(IdempotencyKey.safeParse(key).success).toBe(true);
  });

  test("wait as long as the Master asks", async () => {
    let left = 1;
    const busy = { status: 429, body: {}, headers: { "retry-after": "7" } };
    master.script("getNodeConfig", () => (left-- > 0 ? busy : undefined));
    const clock = countingClock();
    await callWithRetry(client, { clock, deadlineMs: 60_000 }).call("getNodeConfig", {});
    expect(clock.waits[0]).toBeGreaterThanOrEqual(7_000);
  });

  test("end at the deadline with the last error", async () => {
    answering("hang up");
    const clock = countingClock();
    const error = await failure(
      callWithRetry(client, { clock, deadlineMs: 10_000 }).call("getNodeConfig", {}),
    );
    expect(error.code).toBe("master_unreachable");
    expect(clock.monotonicMs()).toBeLessThanOrEqual(10_000);
    expect(clock.waits.length).toBeGreaterThan(2);
  });

  test.each(["not_found", "invalid_request", "lease_held", "token_invalid"] as const)(
    "do not happen for %s",
    async (code) => {
      answering(problem(code));
      const clock = countingClock();
      expect(
        await failure(callWithRetry(client, { clock, deadlineMs: 60_000 }).call("getNodeConfig", {})),
      ).toMatchObject({
        code,
      });
      expect(clock.waits).toEqual([]);
    },
  );
});
