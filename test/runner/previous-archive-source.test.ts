// Which archive a backup may copy from, decided against a real S3 on a socket: the node's own index is used only if it is
// the one on record, the storage's only if its hash is, and whatever is wrong makes a full backup with its reason.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Credential, staticCredentials } from "#local/s3/credentials.ts";
import type { FaultRequest, S3FaultHook } from "#local/s3/faults.ts";
import { expectPrevious, type PreviousAsked } from "#runner/expect-previous.ts";
import { writeCachedIndex } from "#runner/io/index-cache.ts";
import { makeS3 } from "#runner/io/s3-client.ts";
import { sealArchive } from "#runner/io/seal-archive.ts";
import { findPrevious, type PreviousSource } from "#runner/previous-archive-source.ts";
import { TAIL_BYTES } from "#shared/format/tail.ts";
import { clientOf, put } from "#test/contracts/s3/subject.ts";
import { BUCKET, KEYS, startTestS3, type TestS3 } from "#test/local/s3/local-stack.ts";
import { recordedLog } from "./control/harness.ts";

const KEY = "node/site/first.tar.zst";
const ID = "00000000-0000-4000-8000-000000000000";
/** May read, and not list, as nodes may. */
const NODE = {
  accessKeyId: "AKIANODE",
  secretAccessKey: "node",
  policy: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: ["*"] }],
  },
} as const satisfies Credential & { readonly accessKeyId: string };
/** So many that their index does not fit into the first range that is read. */
const FRAMES = 4000;

const { object, index, sha256Index } = await makeObject();

async function makeObject(): Promise<{ object: Buffer; index: Buffer; sha256Index: string }> {
  const frames = Array.from({ length: FRAMES }, (_, n) => ({
    offset: n,
    compressedBytes: 1,
    tarOffset: n * 512,
    tarBytes: 512,
    sha256: createHash("sha256").update(String(n)).digest("hex"),
  }));
  const ids = { created_at: "2026-01-01T00:00:00Z", tool: "test", node_id: ID, site_id: ID };
  const tarBytes = FRAMES * 512;
  const counts = { tar_bytes: tarBytes, entries_end: tarBytes, frames: FRAMES, entries: 0, database: null };
  const seal = await sealArchive({
    header: { format: "backupd", version: 1, ...ids, ...counts },
    frames,
    entryFrames: [],
    lastEntries: [],
    dataBytes: FRAMES,
  });
  return {
    object: Buffer.concat([Buffer.alloc(FRAMES), ...seal.index, ...seal.tail]),
    index: Buffer.concat(seal.index),
    sha256Index: seal.sha256Index,
  };
}

let s3: TestS3;
let dir: string;
let etag: string;
let fault: S3FaultHook;
let seen: FaultRequest[];
beforeEach(async () => {
  fault = () => undefined;
  seen = [];
  s3 = await startTestS3({
    credentials: staticCredentials({ [KEYS.accessKeyId]: KEYS, [NODE.accessKeyId]: NODE }),
    faults: (request) => {
      seen.push(request);
      return fault(request);
    },
  });
  dir = await mkdtemp(join(tmpdir(), "backupd-previous-"));
  etag = await put(clientOf(s3.subject), BUCKET, KEY, object);
  await writeCachedIndex(cacheFile(), [index]);
  seen = [];
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const cacheFile = (): string => join(dir, "index");

interface Told {
  readonly full?: boolean;
  readonly backups_since_full?: number;
  readonly sha256_index?: string;
  readonly etag?: string;
}

async function find(
  { full = false, ...told }: Told = {},
  keys: typeof KEYS | typeof NODE = KEYS,
): Promise<PreviousSource> {
  const { endpoint, region } = s3.subject;
  const client = makeS3({ endpoint, region }, async () => keys);
  const asked: PreviousAsked = {
    claim: {
      job: { full },
      previous: {
        backup_id: ID,
        s3_path: `/${KEY}`,
        size_bytes: object.length,
        etag,
        sha256_index: sha256Index,
        backups_since_full: 0,
        ...told,
      },
    },
    storage: { bucket: BUCKET },
    indexCacheFile: cacheFile(),
    signal: new AbortController().signal,
    log: recordedLog().log,
  };
  try {
    return await findPrevious(asked, await expectPrevious(asked), client);
  } finally {
    client.destroy();
  }
}

const operations = (): string[] => seen.map(({ operation }) => operation);
const none = (reason: string): unknown => ({ kind: "none", reason });

async function expectFound(found: Promise<PreviousSource>): Promise<void> {
  const previous = await found;
  if (previous.kind === "none") throw new Error(`nothing was found: ${previous.reason}`);
  expect(previous.source).toEqual({ key: KEY, etag });
  expect(Buffer.from(previous.index).equals(index)).toBe(true);
}

describe("every 30th backup copies nothing", () => {
  it("which the Master's count decides, and nothing is asked of the storage then", async () => {
    await expectFound(find({ backups_since_full: 28 }));
    seen = [];
    expect(await find({ backups_since_full: 29 })).toEqual(none("periodic"));
    expect(await find({ backups_since_full: 30 })).toEqual(none("periodic"));
    expect(await find({ full: true, backups_since_full: 29 })).toEqual(none("requested"));
    expect(operations()).toEqual([]);
  });
});

describe("the index on the node", () => {
  it("is used without reading the object, which is only looked at", async () => {
    await expectFound(find());
    expect(operations()).toEqual(["HeadObject"]);
  });

  it.each([
    ["is lost", () => rm(cacheFile())],
    ["is another one than that on record", () => writeFile(cacheFile(), "of another backup")],
    ["was damaged", async () => writeFile(cacheFile(), (await readFile(cacheFile())).fill(0, 100, 101))],
  ])("is read from the storage if it %s, in two ranges at the object's end", async (_, spoil) => {
    await spoil();
    expect(index.length).toBeGreaterThan(TAIL_BYTES);
    await expectFound(find());
    expect(operations()).toEqual(["GetObject", "GetObject"]);
  });
});

describe("nothing is copied", () => {
  const lostIndex = (): Promise<void> => rm(cacheFile());

  it("if the index in the storage is not the one on record either", async () => {
    expect(await find({ sha256_index: "0".repeat(64) })).toEqual(none("previous_unreadable"));
    expect(operations()).toEqual(["GetObject", "GetObject"]);
  });

  it("if the storage gives something else than an archive", async () => {
    await lostIndex();
    etag = await put(clientOf(s3.subject), BUCKET, KEY, Buffer.alloc(object.length, 7));
    expect(await find()).toEqual(none("previous_unreadable"));
  });

  it("if the object was replaced, whoever notices first", async () => {
    await put(clientOf(s3.subject), BUCKET, KEY, Buffer.alloc(object.length, 7));
    expect(await find()).toEqual(none("source_changed"));
    await lostIndex();
    expect(await find()).toEqual(none("source_changed"));
    expect(await find({ etag: '"never"' })).toEqual(none("source_changed"));
  });

  it("if the object is gone", async () => {
    await clientOf(s3.subject).send(new DeleteObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(await find()).toEqual(none("source_gone"));
    await lostIndex();
    expect(await find()).toEqual(none("source_gone"));
  });

  it("if it is gone for a node, which may not list and so is told 403", async () => {
    await expectFound(find({}, NODE));
    await clientOf(s3.subject).send(new DeleteObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(await find({}, NODE)).toEqual(none("source_gone"));
    await lostIndex();
    expect(await find({}, NODE)).toEqual(none("source_gone"));
  });

  it("if it lies in a cold storage class and the index has to be read from it", async () => {
    fault = () => ({ status: 403, code: "InvalidObjectState" });
    await lostIndex();
    expect(await find()).toEqual(none("source_cold"));
  });

  it("if the storage says that the keys are wrong: that says nothing about the archive", async () => {
    fault = () => ({ status: 403, code: "SignatureDoesNotMatch" });
    await lostIndex();
    expect(await find()).toEqual(none("previous_unreadable"));
  });
});
