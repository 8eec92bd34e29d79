// Browsing an archive from the Master, by ranged reads only.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readIndexBlocks } from "#functions/stores/archive-index.ts";
import type { ObjectRange, Objects } from "#functions/stores/objects.ts";
import { objectKey } from "#shared/object-key.ts";
import { type FinishedBackup, finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, type IndexedArchive, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

let master: Master;
let node: TestNode;
let siteId: string;
let archive: IndexedArchive;
beforeAll(async () => {
  master = await startMaster();
  node = await master.enrolNode();
  siteId = (await master.createSite(node.id)).id;
  archive = await indexedArchive(
    filesOf({
      "wp-config.php": 100,
      "wp-content/uploads/2026/a.jpg": 300,
      "wp-content/uploads/2026/b.jpg": 700,
      "wp-content/uploads/caf\xe9.txt": 1,
      "wp-content/uploads/": 0,
      "wp-content/": 0,
      "database.sql": 5000,
    }),
  );
});
afterAll(() => master.close());

const backUp = (body: Uint8Array = archive.object): Promise<FinishedBackup> =>
  finishBackup(master, node, siteId, { body, archive: { sha256_index: archive.sha256Index } });

test("one directory at a time, with what is below it added up", async () => {
  const { id } = await backUp();
  const list = async (query: Record<string, string | number>) =>
    (await master.admin.call("listBackupFiles", { id, query })).items;
  expect(
    (await list({})).map(({ name, type, size_bytes, files }) => [name, type, size_bytes, files]),
  ).toEqual([
    ["database.sql", "file", 5000, 1],
    ["wp-config.php", "file", 100, 1],
    ["wp-content", "directory", 1001, 3],
  ]);
  expect((await list({ prefix: "/wp-content/uploads/" })).map(({ path }) => path)).toEqual([
    "wp-content/uploads/2026",
    "wp-content/uploads/caf\\xe9.txt",
  ]);
  const first = await master.admin.call("listBackupFiles", { id, query: { limit: 2 } });
  const rest = await list({ limit: 2, cursor: String(first.next_cursor) });
  expect(rest.map(({ name }) => name)).toEqual(["wp-content"]);
  const moved = { prefix: "wp-content", cursor: String(first.next_cursor) };
  await expect(list(moved)).rejects.toMatchObject({ code: "invalid_request" });
});

test("nothing there, a file, and another role's question", async () => {
  const { id } = await backUp();
  const list = (prefix: string) => master.admin.call("listBackupFiles", { id, query: { prefix } });
  await expect(list("wp-contents")).rejects.toMatchObject({ code: "not_found" });
  await expect(list("wp-config.php")).rejects.toMatchObject({ code: "invalid_request" });
  await expect(node.client.call("listBackupFiles", { id })).rejects.toMatchObject({ code: "role_too_low" });
});

test("only the index is read of an archive, however large", async () => {
  const sizes = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [noiseName(at), 10]));
  const dataBytes = 3_000_000;
  const { object, sha256Index } = await indexedArchive(filesOf(sizes), dataBytes);
  const ranges: ObjectRange[] = [];
  const read: Objects["read"] = async (_key, range) => {
    ranges.push(range);
    return Readable.from([object.subarray(range.offset, range.offset + range.bytes)]);
  };
  const backup = {
    s3_path: "/x",
    size_bytes: object.length,
    archive: { etag: "e", sha256_index: sha256Index },
  };
  let blockBytes = 0;
  await readIndexBlocks({ read }, backup, (block) => {
    blockBytes += block.length;
  });
  expect(blockBytes).toBeGreaterThan(1_000_000);
  expect(ranges).toHaveLength(2);
  for (const { offset, etag } of ranges) expect([offset >= dataBytes, etag]).toEqual([true, "e"]);
});

const noiseName = (at: number): string =>
  `wp-content/${createHash("sha256").update(String(at)).digest("hex")}`;

test("an archive that was replaced, deleted or tampered with is not believed", async () => {
  const list = (id: string) => master.admin.call("listBackupFiles", { id });
  const tampered = Buffer.from(archive.object);
  const at = tampered.length - 200;
  tampered.writeUInt8(tampered.readUInt8(at) ^ 1, at);
  await expect(list((await backUp(tampered)).id)).rejects.toMatchObject({ code: "archive_corrupt" });

  const { id, s3Path } = await backUp();
  const place = { Bucket: master.bucket, Key: objectKey(s3Path) };
  await master.s3.send(new PutObjectCommand({ ...place, Body: "another" }));
  await expect(list(id)).rejects.toMatchObject({ code: "archive_unavailable" });
  await master.s3.send(new DeleteObjectCommand(place));
  await expect(list(id)).rejects.toMatchObject({ code: "archive_unavailable" });
});
