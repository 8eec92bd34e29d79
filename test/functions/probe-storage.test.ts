// POST /storage/providers/{id}/test on real S3 servers, with what some storages do not do turned off: each missing feature
// is reported as that feature, backups that can do without it are not refused, and nothing is left behind.
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ProbeName } from "#functions/core/provider-features.ts";
import { probeStorage } from "#functions/stores/probe-storage.ts";
import type { FaultRequest, S3Fault } from "#local/s3/faults.ts";
import type { ProviderFeatures, ProviderTest } from "#shared/contracts/storage.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { type SecondStorage, startSecondStorage } from "#test/helpers/second-storage.ts";

let master: Master;
let storage: SecondStorage;
beforeAll(async () => {
  [master, storage] = await Promise.all([startMaster(), startSecondStorage()]);
});
afterAll(async () => {
  await storage?.[Symbol.asyncDispose]();
  await master?.close();
});
beforeEach(() => {
  storage.wire.fault = () => undefined;
});

const ALL: ProviderFeatures = {
  multipart: true,
  part_copy: true,
  mixed_part_sizes: true,
  conditional_writes: true,
  checksums: true,
  ranged_reads: true,
};

const probe = (odd: Partial<SecondStorage["provider"]> = {}): Promise<ProviderTest> =>
  master.admin.call("testNewStorageProvider", { body: { ...storage.provider, ...odd } });
const stepsOf = ({ steps }: ProviderTest, outcome: string): string[] =>
  steps.filter((step) => step.outcome === outcome).map(({ name }) => name);
const textOf = ({ steps }: ProviderTest, wanted: ProbeName): string =>
  steps.find(({ name }) => name === wanted)?.text ?? "";

async function expectNothingLeft(): Promise<void> {
  const { objects, openUploads } = await storage.server.inspect();
  expect([objects, openUploads]).toEqual([[], []]);
}

test("a storage that does all that S3 does is found to", async () => {
  const found = await probe();
  expect(found).toMatchObject({ usable: true, features: ALL });
  expect(stepsOf(found, "good")).toHaveLength(found.steps.length);
  await expectNothingLeft();
});

test("static keys are said to be what they are; sessions of a role are said to be better", async () => {
  expect((await probe()).notes.join(" ")).toMatch(
    /every node .* these very keys.*provider of its own for each/,
  );
  const own = await master.admin.call("testStorageProvider", { id: "default" });
  expect(own).toMatchObject({ usable: true, features: ALL });
  expect(own.notes.join(" ")).toContain("its own prefix, without delete and list");
});

test("what a saved provider can do is kept until its keys or its address change", async () => {
  const { id } = await master.admin.call("createStorageProvider", { body: storage.provider });
  await master.admin.call("testStorageProvider", { id });
  const tested = await master.admin.call("patchStorageProvider", { id, body: { name: "renamed" } });
  expect(tested.features).toEqual(ALL);
  const changed = await master.admin.call("patchStorageProvider", { id, body: { region: "eu-1" } });
  expect([changed.features, changed.tested_at]).toEqual([null, null]);
});

type Off = (request: FaultRequest) => S3Fault | undefined;
const no = (operation: string, fault: S3Fault = { status: 501, code: "NotImplemented" }): Off => {
  return (request) => (request.operation === operation ? fault : undefined);
};

describe("without", () => {
  test.each<[string, Off, Partial<ProviderFeatures>, ProbeName[]]>([
    ["copies of parts", no("UploadPartCopy"), { part_copy: false }, ["copy_part"]],
    ["lists", no("ListObjectsV2", { status: 403, code: "AccessDenied" }), {}, ["list"]],
    [
      "parts of different sizes",
      ({ operation, key }) =>
        operation === "CompleteMultipartUpload" && key.endsWith("/mixed")
          ? { status: 400, code: "InvalidPart" }
          : undefined,
      { mixed_part_sizes: false },
      ["mixed_sizes"],
    ],
    [
      "conditions on uploads",
      ({ operation, key }) =>
        operation === "CompleteMultipartUpload" && key.endsWith("/source")
          ? { status: 501, code: "NotImplemented" }
          : undefined,
      { conditional_writes: false },
      ["conditional_complete"],
    ],
  ])("%s a storage is usable, and said to be without", async (_what, off, features, missing) => {
    storage.wire.fault = off;
    const found = await probe();
    expect(found).toMatchObject({ usable: true, features: { ...ALL, ...features } });
    expect(stepsOf(found, "missing")).toEqual(missing);
    expect(found.notes.length).toBeGreaterThan(2);
    storage.wire.fault = () => undefined;
    await expectNothingLeft();
  });

  test.each<[string, Off, ProbeName[]]>([
    ["writing", no("PutObject", { status: 403, code: "AccessDenied" }), ["write"]],
    ["reading", no("HeadObject", { status: 403, code: "AccessDenied" }), ["read"]],
    ["parts", no("CreateMultipartUpload"), ["upload_parts"]],
    ["deleting", no("DeleteObject", { status: 403, code: "AccessDenied" }), ["delete"]],
  ])("%s it is not usable, and what was tried says so", async (_what, off, failed) => {
    storage.wire.fault = off;
    const found = await probe();
    expect(found.usable).toBe(false);
    expect(stepsOf(found, "failed")).toEqual(expect.arrayContaining(failed));
    storage.wire.fault = () => undefined;
    const { objects, openUploads } = await storage.server.inspect();
    expect(openUploads).toEqual([]);
    if (!failed.includes("delete") && !failed.includes("read")) expect(objects).toEqual([]);
    for (const { key } of objects) await deleteThere(key);
  });
});

async function deleteThere(key: string): Promise<void> {
  await storage.client.send(new DeleteObjectCommand({ Bucket: storage.provider.bucket, Key: key }));
}

describe("whoever typed something wrong", () => {
  test.each<[string, Partial<SecondStorage["provider"]>, RegExp]>([
    ["bucket", { bucket: "no-such-bucket" }, /no such bucket/],
    ["access key id", { access_key_id: "NOBODY" }, /access key id is not known/],
    ["secret", { secret_access_key: "not-the-secret" }, /does not belong to the access key id/],
    ["port", { endpoint: "http://127.0.0.1:9" }, /Nothing listens/],
    ["host", { endpoint: "https://nowhere.invalid" }, /cannot be resolved/],
  ])("is told: the %s", async (_what, odd, said) => {
    const text = await probe(odd).then((found) => textOf(found, "write"), String);
    expect(text).toMatch(said);
  });

  test("is told of a connection that breaks off", async () => {
    storage.wire.fault = () => "reset";
    const found = await probe();
    expect(found.usable).toBe(false);
    expect(textOf(found, "write")).toContain("Could not write an object.");
    expect(stepsOf(found, "skipped").length).toBeGreaterThan(5);
  });
});

test("when its time is over nothing new is tried, and what was begun is cleaned up", async () => {
  const over = new AbortController();
  storage.wire.fault = ({ operation }) => {
    if (operation === "UploadPartCopy") over.abort();
    return undefined;
  };
  const how = { randomUuid: () => "one", signal: over.signal };
  const results = await probeStorage(storage.client, storage.provider.bucket, how);
  expect(results).toMatchObject({
    write: { outcome: "good" },
    copy_part: { outcome: "failed" },
    mixed_sizes: { outcome: "skipped" },
    conditional_put: { outcome: "skipped" },
    delete: { outcome: "good" },
  });
  await expectNothingLeft();
});
