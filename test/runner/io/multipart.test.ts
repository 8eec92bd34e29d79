// Uploads against a real S3 server on a socket: what arrives is what was sent, and whatever goes wrong, there is
// neither a half object nor an open upload afterwards.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { staticCredentials } from "#local/s3/credentials.ts";
import type { S3Fault, S3FaultHook } from "#local/s3/faults.ts";
import { type S3Server, startS3 } from "#local/s3/server.ts";
import type { Piece } from "#runner/io/archive.ts";
import { inOnePiece } from "#runner/io/compress.ts";
import { abortUpload, type OpenUpload, type UploadInput, uploadMultipart } from "#runner/io/multipart.ts";
import { makeS3 } from "#runner/io/s3-client.ts";

const MIB = 1_048_576;
const BUCKET = "backups";
const KEYS = { accessKeyId: "AK", secretAccessKey: "SK" };
const KEY = "node/site/a.tar.zst";

let dir: string;
let server: S3Server;
let s3: S3Client;
let fault: S3FaultHook;
let operations: string[];
let journal: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "backupd-upload-"));
  fault = () => undefined;
  operations = [];
  journal = [];
  server = await startS3({
    dataDir: dir,
    port: 0,
    now: () => new Date(),
    credentials: staticCredentials({ AK: { secretAccessKey: "SK" } }),
    faults: (request) => {
      operations.push(request.operation);
      return fault(request);
    },
  });
  s3 = makeS3({ endpoint: server.endpoint, region: "us-east-1" }, async () => KEYS);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterEach(async () => {
  s3.destroy();
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

function bytesOf(size: number, seed: number): Buffer {
  return Buffer.alloc(size, Buffer.from([seed, seed >> 8, 3, seed + 7, 11]));
}

async function* piecesOf(sizes: readonly number[]): AsyncGenerator<Piece, void, undefined> {
  for (const [index, size] of sizes.entries()) yield inOnePiece(bytesOf(size, index));
}

function upload(changes: Partial<UploadInput> = {}): ReturnType<typeof uploadMultipart> {
  return uploadMultipart({
    s3,
    bucket: BUCKET,
    key: KEY,
    pieces: piecesOf([3 * MIB, 7 * MIB, 1, 20 * MIB, 5 * MIB]),
    expectedBytes: 40 * MIB,
    concurrency: 4,
    signal: new AbortController().signal,
    beforeComplete: async () => undefined,
    onOpen: async ({ uploadId }) => void journal.push(`open ${uploadId}`),
    isWorthKeeping: () => false,
    onAborted: async ({ uploadId }) => void journal.push(`aborted ${uploadId}`),
    onNotAborted: async () => void journal.push("not aborted"),
    ...changes,
  });
}

/** The journal has one upload, opened and aborted. */
function expectJournalClosed(): void {
  const id = journal[0]?.slice("open ".length);
  expect(journal).toEqual([`open ${id}`, `aborted ${id}`]);
}

async function expectNothingLeft(): Promise<void> {
  const { objects, openUploads, partFiles } = await server.inspect();
  expect({ objects, openUploads, partFiles }).toEqual({
    objects: [],
    openUploads: [],
    partFiles: { count: 0, bytes: 0 },
  });
  expectJournalClosed();
}

describe("an upload", () => {
  it("brings every byte, in equal parts, and completes after the last check", async () => {
    const uploaded: number[] = [];
    const sizes = [3 * MIB, 7 * MIB, 1, 20 * MIB, 5 * MIB];
    const result = await upload({
      onUploaded: (total) => uploaded.push(total),
      beforeComplete: async () => {
        expect((await server.inspect()).objects).toEqual([]);
        expect(uploaded.at(-1)).toBe(35 * MIB + 1);
      },
    });
    const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: KEY }));
    const body = Buffer.from((await object.Body?.transformToByteArray()) ?? []);
    expect(body.equals(Buffer.concat(sizes.map(bytesOf)))).toBe(true);
    expect(result).toEqual({ etag: object.ETag, sizeBytes: body.length, parts: 4 });
    expect(journal).toEqual([expect.stringContaining("open ")]);
  });

  it("survives what passes: errors and lost connections on every kind of call", async () => {
    const seen = new Map<string, number>();
    const faults: (S3Fault | undefined)[] = [{ status: 503, code: "SlowDown" }, "reset", "reset-after"];
    fault = ({ operation, partNumber = 0 }) => {
      const call = `${operation} ${partNumber}`;
      const times = seen.get(call) ?? 0;
      seen.set(call, times + 1);
      return operation === "UploadPart" ? faults[times] : undefined;
    };
    const { sizeBytes } = await upload();
    expect(sizeBytes).toBe(35 * MIB + 1);
    expect((await server.inspect()).openUploads).toEqual([]);
  });

  it("is good when only the answer to its completion was lost", async () => {
    fault = ({ operation }) => (operation === "CompleteMultipartUpload" ? "reset-after" : undefined);
    const { etag } = await upload();
    expect(etag).toMatch(/-4"?$/);
    expect((await server.inspect()).objects).toMatchObject([{ key: KEY, bytes: 35 * MIB + 1 }]);
  });

  it("never replaces an object, nor takes another's for its own", async () => {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: "older" }));
    await expect(upload()).rejects.toMatchObject({ code: "storage_failed" });
    expect((await server.inspect()).objects).toMatchObject([{ key: KEY, bytes: 5 }]);
    expect((await server.inspect()).openUploads).toEqual([]);
  });
});

describe("an upload that fails leaves nothing", () => {
  it("when the source breaks off", async () => {
    async function* broken(): AsyncGenerator<Piece, void, undefined> {
      yield inOnePiece(bytesOf(20 * MIB, 1));
      throw new Error("the source broke");
    }
    await expect(upload({ pieces: broken() })).rejects.toThrow("the source broke");
    await expectNothingLeft();
  });

  it("when the last check says no", async () => {
    const beforeComplete = (): Promise<void> => Promise.reject(new Error("lease lost"));
    await expect(upload({ beforeComplete })).rejects.toThrow("lease lost");
    expect(operations).not.toContain("CompleteMultipartUpload");
    await expectNothingLeft();
  });

  it("when it is told to stop, and says why", async () => {
    const stop = new AbortController();
    const onUploaded = (): void => stop.abort(new Error("stop now"));
    await expect(upload({ signal: stop.signal, onUploaded })).rejects.toThrow("stop now");
    await expectNothingLeft();
  });

  it.each<[string, S3Fault, string]>([
    ["is refused", { status: 403, code: "AccessDenied" }, "storage_denied"],
    ["keeps failing", { status: 500, code: "InternalError" }, "storage_failed"],
    ["keeps losing its connection", "reset", "storage_unreachable"],
  ])("when a part %s", async (_, what, code) => {
    fault = ({ operation, partNumber }) =>
      operation === "UploadPart" && partNumber === 2 ? what : undefined;
    // The real client's patience takes seconds.
    const impatient = new S3Client({
      endpoint: server.endpoint,
      region: "us-east-1",
      credentials: KEYS,
      maxAttempts: 2,
      forcePathStyle: true,
    });
    await expect(upload({ s3: impatient })).rejects.toMatchObject({ code });
    impatient.destroy();
    await expectNothingLeft();
  });

  it("when the completion is refused", async () => {
    fault = ({ operation }) =>
      operation === "CompleteMultipartUpload" ? { status: 403, code: "AccessDenied" } : undefined;
    await expect(upload()).rejects.toMatchObject({ code: "storage_denied" });
    await expectNothingLeft();
  });

  it("or stays in the journal when it cannot be aborted, for the next start to do it", async () => {
    fault = ({ operation }) =>
      ["UploadPart", "AbortMultipartUpload"].includes(operation)
        ? { status: 403, code: "AccessDenied" }
        : undefined;
    let open: OpenUpload | undefined;
    const onOpen = async (upload: OpenUpload): Promise<void> => {
      open = upload;
    };
    await expect(upload({ onOpen })).rejects.toMatchObject({ code: "storage_denied" });
    expect(journal).toEqual(["not aborted"]);
    if (open === undefined) throw new Error("onOpen was not called");
    await expect(abortUpload(s3, open)).rejects.toMatchObject({ code: "storage_denied" });
    fault = () => undefined;
    await abortUpload(s3, open);
    await abortUpload(s3, open); // Already gone: nothing to do.
    expect((await server.inspect()).openUploads).toEqual([]);
  });
});

describe("credentials", () => {
  it("are asked for again when they run out in the middle of an upload", async () => {
    let asked = 0;
    const short = makeS3({ endpoint: server.endpoint, region: "us-east-1" }, async () => {
      asked += 1;
      return { ...KEYS, expiration: new Date() };
    });
    await upload({ s3: short });
    short.destroy();
    expect(asked).toBeGreaterThan(1);
  });
});
