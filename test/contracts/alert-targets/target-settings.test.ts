// Two admins at the same time: SSM lets the later one write over the earlier one's change, and that must never happen
// without anybody being told.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { TargetSettings } from "#functions/core/alert-targets.ts";
import { withoutTarget, withTarget } from "#functions/core/alert-targets.ts";
import { changeTargets, readTargets } from "#functions/stores/target-settings.ts";
import { staticCredentials } from "#local/s3/credentials.ts";
import { type SsmServer, startSsm } from "#local/ssm/server.ts";

let ssm: SsmServer;
let name: string;
let count = 0;
const former = { ...process.env };
beforeAll(async () => {
  ssm = await startSsm({
    parameters: {},
    credentials: staticCredentials({ AKIATEST: { secretAccessKey: "key" } }),
    now: () => new Date(),
  });
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "key",
    AWS_ENDPOINT_URL_SSM: ssm.endpoint,
    AWS_MAX_ATTEMPTS: "1",
  });
});
beforeEach(() => {
  count += 1;
  name = `/backupd/test/${count}`;
});
afterAll(async () => {
  await ssm?.[Symbol.asyncDispose]();
  process.env = former;
});

const hook = (path: string) => ({ kind: "webhook" as const, url: `https://hooks.example.com/${path}` });
const adds =
  (path: string) =>
  (settings: TargetSettings): TargetSettings =>
    withTarget(settings, hook(path));
const paths = async (): Promise<string[]> =>
  (await readTargets(name)).webhooks.map(({ url }) => new URL(url).pathname.slice(1));
const theirs = (...written: string[]): void => {
  const webhooks = written.map((path) => ({ url: hook(path).url }));
  ssm.put(name, JSON.stringify({ webhooks }));
};

/** Does `meddle` before the n-th write: between its read and it. */
function meddled(
  change: (settings: TargetSettings) => TargetSettings,
  ...meddle: (() => void)[]
): (settings: TargetSettings) => TargetSettings {
  return (settings) => {
    meddle.shift()?.();
    return change(settings);
  };
}

test("what was never put has nothing in it, and one change after the other stays", async () => {
  expect(await paths()).toEqual([]);
  for (const path of ["one", "two"]) await changeTargets(name, adds(path));
  expect(await paths()).toEqual(["one", "two"]);
});

test("a change that came between the read and the write is kept, beside the own", async () => {
  await changeTargets(name, adds("one"));
  await changeTargets(
    name,
    meddled(adds("mine"), () => theirs("one", "theirs")),
  );
  expect(await paths()).toEqual(["one", "theirs", "mine"]);
});

test("the same where there was no parameter before", async () => {
  await changeTargets(
    name,
    meddled(adds("mine"), () => theirs("theirs")),
  );
  expect(await paths()).toEqual(["theirs", "mine"]);
});

test("what the others wrote is put back, too, where the own change does not go with it", async () => {
  await changeTargets(name, adds("one"));
  const id = "9".repeat(12);
  const removes = (settings: TargetSettings): TargetSettings =>
    settings.webhooks.length === 1 ? { webhooks: [] } : withoutTarget(settings, id);
  const work = changeTargets(
    name,
    meddled(removes, () => theirs("two", "three")),
  );
  await expect(work).rejects.toMatchObject({ code: "not_found" });
  expect(await paths()).toEqual(["two", "three"]);
});

test("whoever is outrun again is told so", async () => {
  const meddle = meddled(
    adds("mine"),
    () => theirs("first"),
    () => theirs("second"),
  );
  await expect(changeTargets(name, meddle)).rejects.toMatchObject({ code: "conflict" });
});
