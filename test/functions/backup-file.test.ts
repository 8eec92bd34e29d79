// One file out of an archive through the Master: the very bytes, from the frames that hold them and no others, and nothing
// at all where something is damaged.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FilePiece } from "#shared/contracts/backup-files.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { ApiClient } from "#test/helpers/api-client.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import {
  filesOf,
  type IndexedArchive,
  indexedArchive,
  readableArchive,
} from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

const FRAME_BYTES = 1_048_576;
const HOSTILE = 'wp-content/a\r\nX: 1\u202egpj";..php';
const CONTENTS = {
  "wp-config.php": Buffer.from("<?php // small"),
  "wp-content/large.bin": randomBytes(9_000_001),
  "wp-content/empty.txt": Buffer.alloc(0),
  "wp-content/caf\xe9.txt": Buffer.from("latin"),
  [Buffer.from(HOSTILE).toString("latin1")]: Buffer.from("odd"),
};
const TOO_LARGE = 257 * 1_048_576;

let master: Master;
let node: TestNode;
let siteId: string;
let archive: IndexedArchive;
let backupId: string;
beforeAll(async () => {
  master = await startMaster();
  node = await master.enrolNode();
  siteId = (await master.createSite(node.id)).id;
  archive = await readableArchive(entries(), CONTENTS, FRAME_BYTES);
  backupId = await backUp(archive.object);
});
afterAll(() => master?.close());

function entries(): IndexEntry[] {
  const sizes = Object.fromEntries(Object.entries(CONTENTS).map(([name, { length }]) => [name, length]));
  const all = filesOf({ ...sizes, "wp-content/one": 0, "wp-content/two": 0, "wp-content/": 0 });
  const linked = (name: string, type: "h" | "l", link: string): void => {
    const at = all.findIndex((entry) => entry.name === name);
    const entry = all[at];
    if (entry !== undefined) all[at] = { ...entry, type, link };
  };
  linked("wp-content/one", "h", "wp-content/large.bin");
  linked("wp-content/two", "l", "large.bin");
  return all;
}

async function backUp(body: Uint8Array, sha256Index = archive.sha256Index): Promise<string> {
  return (await finishBackup(master, node, siteId, { body, archive: { sha256_index: sha256Index } })).id;
}

async function download(path: string, id = backupId, client: ApiClient = master.admin): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const piece: FilePiece = await client.call("getBackupFile", { id, query: { path, offset } });
    expect(piece.offset).toBe(offset);
    pieces.push(Buffer.from(piece.content, "base64"));
    offset = piece.next_offset;
  }
  return Buffer.concat(pieces);
}

test("a small file, an empty one, and one over many frames come as they are", async () => {
  expect(await download("wp-config.php")).toEqual(CONTENTS["wp-config.php"]);
  expect(await download("wp-content/empty.txt")).toEqual(Buffer.alloc(0));
  expect((await download("/wp-content/large.bin")).equals(CONTENTS["wp-content/large.bin"])).toBe(true);
});

test("a piece may begin anywhere, and not behind the end", async () => {
  const size = CONTENTS["wp-content/large.bin"].length;
  const query = { path: "wp-content/large.bin", offset: size - 5 };
  const piece = await master.admin.call("getBackupFile", { id: backupId, query });
  expect(piece).toMatchObject({ size_bytes: size, next_offset: null });
  expect(Buffer.from(piece.content, "base64")).toEqual(CONTENTS["wp-content/large.bin"].subarray(-5));
  const behind = { path: "wp-content/large.bin", offset: size + 1 };
  await expect(master.admin.call("getBackupFile", { id: backupId, query: behind })).rejects.toMatchObject({
    code: "invalid_request",
  });
});

test("another name of the file is the file; a symbolic link, a directory and nothing are none", async () => {
  expect((await download("wp-content/one")).equals(CONTENTS["wp-content/large.bin"])).toBe(true);
  await expect(download("wp-content/two")).rejects.toMatchObject({ code: "invalid_request" });
  await expect(download("wp-content")).rejects.toMatchObject({ code: "invalid_request" });
  await expect(download("wp-content/three")).rejects.toMatchObject({ code: "not_found" });
});

test("names that are no text, or hostile, are found as they are shown and saved under harmless ones", async () => {
  expect(await download("wp-content/caf\\xe9.txt")).toEqual(Buffer.from("latin"));
  const { items } = await master.admin.call("listBackupFiles", {
    id: backupId,
    query: { prefix: "wp-content" },
  });
  const shown = items.find(({ name }) => name.startsWith("a\r\n"))?.path ?? "";
  const query = { path: shown };
  const piece = await master.admin.call("getBackupFile", { id: backupId, query });
  expect(Buffer.from(piece.content, "base64").toString()).toBe("odd");
  expect(piece.file_name).toBe("a__X_ 1_gpj_;..php");
});

test("nothing comes of a damaged frame, and the others still do", async () => {
  const damaged = Buffer.from(archive.object);
  const at = 5 * FRAME_BYTES;
  damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
  const id = await backUp(damaged);
  await expect(download("wp-content/large.bin", id)).rejects.toMatchObject({
    code: "archive_corrupt",
    status: 422,
  });
  expect(await download("wp-config.php", id)).toEqual(CONTENTS["wp-config.php"]);
});

test("what is too large is for a restore, and says which", async () => {
  const large = await indexedArchive(filesOf({ "wp-content/movie.mp4": TOO_LARGE }));
  const id = await backUp(large.object, large.sha256Index);
  const query = `path=${encodeURIComponent("wp-content/movie.mp4")}`;
  const { status, json } = await master.admin.request("GET", `/backups/${id}/files/content?${query}`);
  expect([status, json.code]).toEqual([422, "file_too_large"]);
  expect(json.hint).toContain("backupd restore");
});

test("viewers, nodes and other tenants get nothing, and each download is on record", async () => {
  const viewer = await master.operator("viewer");
  await expect(download("wp-config.php", backupId, viewer)).rejects.toMatchObject({ status: 403 });
  await expect(download("wp-config.php", backupId, node.client)).rejects.toMatchObject({ status: 403 });
  const stranger = await master.operator("admin", "acme");
  await expect(download("wp-config.php", backupId, stranger)).rejects.toMatchObject({ status: 404 });
  await download("wp-config.php", backupId, await master.operator("operator"));
  expect((await master.admin.call("listActivity")).items[0]).toMatchObject({
    action: "backup.file_downloaded",
    target: { kind: "backup", id: backupId },
    details: { site_id: siteId, path: "wp-config.php", offset: 0 },
  });
});
