// The storage model under the protocol: copies share bytes, deletes free exactly what nothing needs, failures of
// client, disk and process leave nothing behind and lose nothing that was acknowledged.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type UploadPartCommandOutput,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it, vi } from "vitest";
import { staticCredentials } from "#local/s3/credentials.ts";
import type { S3Fault } from "#local/s3/faults.ts";
import { startS3 } from "#local/s3/server.ts";
import {
  clientOf,
  expectRefusal,
  MIB,
  patterned,
  put,
  putInParts,
  readObject,
} from "#test/contracts/s3/subject.ts";
import { BUCKET, spawnS3, startTestS3, subjectAt, type TestS3 } from "./local-stack.ts";

const PART = 5 * MIB;

/** An object of a copied range of `source` and a small fresh part. */
async function putCopy(s3: TestS3, Key: string, source: string, range: string): Promise<void> {
  const client = clientOf(s3.subject, { requestChecksumCalculation: "WHEN_REQUIRED" });
  const place = { Bucket: BUCKET, Key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
  const copied = await client.send(
    new UploadPartCopyCommand({
      ...place,
      UploadId,
      PartNumber: 1,
      CopySource: `${BUCKET}/${source}`,
      CopySourceRange: range,
    }),
  );
  const sent = await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 2, Body: "fresh" }));
  const Parts = [
    { PartNumber: 1, ETag: copied.CopyPartResult?.ETag },
    { PartNumber: 2, ETag: sent.ETag },
  ];
  await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
}

/** Begins a presigned PUT, sends `sent` of 10 MiB and waits until the server has a part file for it. */
async function beginUpload(endpoint: string, Key: string, dataDir: string): Promise<{ cut: () => void }> {
  const client = clientOf(subjectAt(endpoint), { requestChecksumCalculation: "WHEN_REQUIRED" });
  const url = await getSignedUrl(client, new PutObjectCommand({ Bucket: BUCKET, Key }), { expiresIn: 60 });
  const before = (await readdir(join(dataDir, "parts"))).length;
  const upload = request(url, { method: "PUT", headers: { "content-length": 10 * MIB } });
  // The connection is about to be cut on purpose.
  upload.on("error", () => undefined);
  upload.write(patterned(4 * MIB));
  await vi.waitUntil(async () => (await readdir(join(dataDir, "parts"))).length > before, {
    timeout: 10_000,
  });
  return { cut: () => upload.destroy() };
}

describe("part files", () => {
  it("are shared by copies and freed with the last object that needs them", async () => {
    await using s3 = await startTestS3();
    const client = clientOf(s3.subject);
    const bodies = [patterned(PART, 1), patterned(PART, 2), patterned(PART, 3)];
    await putInParts(client, BUCKET, "old", bodies);
    expect((await s3.server.inspect()).partFiles).toEqual({ count: 3, bytes: 3 * PART });

    await putCopy(s3, "new", "old", `bytes=${PART}-${3 * PART - 1}`);
    expect((await s3.server.inspect()).partFiles).toEqual({ count: 4, bytes: 3 * PART + 5 });

    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "old" }));
    const left = await s3.server.inspect();
    expect(left.partFiles).toEqual({ count: 3, bytes: 2 * PART + 5 });
    expect(left.filesOnDisk).toBe(3);
    const expected = Buffer.concat([...bodies.slice(1), Buffer.from("fresh")]);
    expect((await readObject(client, BUCKET, "new")).equals(expected)).toBe(true);

    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "new" }));
    expect(await s3.server.inspect()).toMatchObject({ partFiles: { count: 0, bytes: 0 }, filesOnDisk: 0 });
    await client.send(new DeleteBucketCommand({ Bucket: BUCKET }));
  });

  it("go when an upload is aborted, a part or an object replaced, or a part left out of Complete", async () => {
    await using s3 = await startTestS3();
    const client = clientOf(s3.subject);
    await put(client, BUCKET, "replaced", patterned(1000));
    await put(client, BUCKET, "replaced", patterned(10));
    const place = { Bucket: BUCKET, Key: "mp" };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
    const send = (PartNumber: number, bytes: number): Promise<UploadPartCommandOutput> =>
      client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body: patterned(bytes) }));
    await send(1, 100);
    const first = await send(1, 200);
    await send(2, 300);
    expect((await s3.server.inspect()).partFiles).toEqual({ count: 3, bytes: 510 });
    const Parts = [{ PartNumber: 1, ETag: first.ETag, ChecksumCRC32: first.ChecksumCRC32 }];
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
    expect(await s3.server.inspect()).toMatchObject({ partFiles: { count: 2, bytes: 210 }, openUploads: [] });

    const other = await client.send(new CreateMultipartUploadCommand(place));
    const open = { ...place, UploadId: other.UploadId };
    await client.send(new UploadPartCommand({ ...open, PartNumber: 1, Body: patterned(PART) }));
    await client.send(new AbortMultipartUploadCommand(open));
    expect(await s3.server.inspect()).toMatchObject({ partFiles: { count: 2, bytes: 210 }, filesOnDisk: 2 });
  });

  it("stay readable for a download that began before the object was deleted", async () => {
    await using s3 = await startTestS3();
    const client = clientOf(s3.subject);
    const bodies = [patterned(2 * PART, 1), patterned(2 * PART, 2), patterned(2 * PART, 3)];
    await putInParts(client, BUCKET, "big", bodies);
    const reply = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "big" }));
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "big" }));
    const got = Buffer.from((await reply.Body?.transformToByteArray()) ?? []);
    expect(got.equals(Buffer.concat(bodies))).toBe(true);
    await vi.waitUntil(async () => (await s3.server.inspect()).filesOnDisk === 0, { timeout: 10_000 });
  });

  it("of an upload that was cut are removed, and nothing is stored", async () => {
    await using s3 = await startTestS3();
    const upload = await beginUpload(s3.server.endpoint, "cut", s3.dataDir);
    upload.cut();
    await vi.waitUntil(async () => (await s3.server.inspect()).filesOnDisk === 0, { timeout: 10_000 });
    expect((await s3.server.inspect()).objects).toEqual([]);
  });

  it("knows the checksum of a copied range without being told, and again", async () => {
    await using s3 = await startTestS3();
    const client = clientOf(s3.subject);
    const bodies = [patterned(PART, 1), patterned(PART, 2), patterned(9, 3)];
    await putInParts(client, BUCKET, "source", bodies);
    const place = { Bucket: BUCKET, Key: "target" };
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: "CRC32" }),
    );
    const copy = async (PartNumber: number, from: number, to: number): Promise<string | undefined> => {
      const copied = await client.send(
        new UploadPartCopyCommand({
          ...place,
          UploadId,
          PartNumber,
          CopySource: `${BUCKET}/source`,
          CopySourceRange: `bytes=${from}-${to}`,
        }),
      );
      return copied.CopyPartResult?.ChecksumCRC32;
    };
    const send = async (from: number, to: number): Promise<string | undefined> => {
      const Body = Buffer.concat(bodies).subarray(from, to + 1);
      return (await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 9, Body })))
        .ChecksumCRC32;
    };
    const [from, to] = [1234, 2 * PART + 4];
    const sent = await send(from, to);
    expect(await copy(1, from, to)).toBe(sent);
    expect(await copy(2, from, to)).toBe(sent);
    // Other cuts of the same files are others.
    expect(await copy(3, from + 1, to)).toBe(await send(from + 1, to));
    expect(await copy(4, from, to - 1)).toBe(await send(from, to - 1));
  });
});

describe("a killed server", () => {
  it("has after its restart what it acknowledged and nothing of what it had not", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "backupd-s3-kill-"));
    try {
      await using first = await spawnS3(dataDir);
      const client = clientOf(subjectAt(first.endpoint));
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      const bodies = [patterned(PART, 1), patterned(70, 2)] as const;
      await putInParts(client, BUCKET, "complete", bodies);
      const place = { Bucket: BUCKET, Key: "unfinished" };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
      const part = await client.send(
        new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: bodies[0] }),
      );
      const upload = await beginUpload(first.endpoint, "complete", dataDir);
      await first.kill("SIGKILL");
      upload.cut();
      await writeFile(join(dataDir, "parts", "leftover"), "x");

      await using second = await spawnS3(dataDir);
      const again = clientOf(subjectAt(second.endpoint));
      expect((await readObject(again, BUCKET, "complete")).equals(Buffer.concat(bodies))).toBe(true);
      expect(await readdir(join(dataDir, "parts"))).toHaveLength(3);
      const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
      await again.send(
        new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }),
      );
      // Killed once more right after the answer: it was durable before it was given.
      await second.kill("SIGKILL");

      await using third = await spawnS3(dataDir);
      const last = clientOf(subjectAt(third.endpoint));
      expect((await readObject(last, BUCKET, "unfinished")).equals(bodies[0])).toBe(true);
      await third.kill("SIGTERM");
      expect(third.process.exitCode).toBe(0);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it("is not mistaken for a live one, whose directory nobody else may open", async () => {
    await using s3 = await startTestS3();
    const options = {
      dataDir: s3.dataDir,
      port: 0,
      credentials: staticCredentials({}),
      now: () => new Date(),
    };
    await expect(startS3(options)).rejects.toThrow(/another server/);
    await put(clientOf(s3.subject), BUCKET, "still-fine", patterned(10));
  });
});

describe("faults", () => {
  it("answer, reset, and lose the answer at a chosen operation", async () => {
    let fault: S3Fault | undefined;
    await using s3 = await startTestS3({
      faults: (seen) => (seen.operation === "PutObject" && seen.key === "chosen" ? fault : undefined),
    });
    const client = clientOf(s3.subject);
    const attempt = (): Promise<string> => put(client, BUCKET, "chosen", patterned(100));
    const exists = (): Promise<unknown> =>
      client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "chosen" }));
    fault = { status: 503, code: "SlowDown" };
    await expectRefusal(attempt(), "SlowDown", 503);
    await put(client, BUCKET, "other", patterned(1));
    fault = "reset";
    await expect(attempt()).rejects.toThrow(/hang up|ECONNRESET/);
    await expectRefusal(exists(), "NotFound", 404);
    fault = "reset-after";
    await expect(attempt()).rejects.toThrow(/hang up|ECONNRESET/);
    await exists();
  });
});
