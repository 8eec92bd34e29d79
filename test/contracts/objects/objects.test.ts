// What the Master needs of S3: sizes, signed downloads that end, and removal.
import { randomUUID } from "node:crypto";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Objects, openObjects } from "#functions/stores/objects.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { hostConfig } from "#test/helpers/stores.ts";

let master: Master;
let objects: Objects;
beforeAll(async () => {
  master = await startMaster();
  objects = openObjects(new S3Client({}), hostConfig().bucketName);
});
afterAll(() => master.close());

test("an object's size is told until it is removed", async () => {
  const key = `${randomUUID()}/a.tar.zst`;
  expect(await objects.size(key)).toBeUndefined();
  await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key: key, Body: "12345" }));
  expect(await objects.size(key)).toBe(5);
  await objects.remove(key);
  await objects.remove(key);
  expect(await objects.size(key)).toBeUndefined();
});

test("a signed URL gives the object under its file name, in ranges too, and to nobody who changes it", async () => {
  const key = `${randomUUID()}/a.tar.zst`;
  await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key: key, Body: "12345" }));
  const url = await objects.presignGet(key, "a.tar.zst", 60);
  const whole = await fetch(url);
  expect([whole.status, await whole.text()]).toEqual([200, "12345"]);
  expect(whole.headers.get("content-disposition")).toBe('attachment; filename="a.tar.zst"');
  const part = await fetch(url, { headers: { range: "bytes=1-2" } });
  expect([part.status, await part.text()]).toEqual([206, "23"]);
  const refused = await fetch(url.replace("a.tar.zst", "b.tar.zst"));
  expect(refused.status).toBe(403);
  await refused.text();
});
