// The test of a storage, for real: what backups, restores and deletions ask of it is asked once, with objects of its own below
// a prefix of its own, and everything is removed again, however it ends.

import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { PROBES, type ProbeName, type ProbeResult, type ProbeResults } from "../core/provider-features.ts";
import { storageFault } from "../core/storage-fault.ts";
import { OWN_PREFIX } from "../core/storage-report.ts";

/** The comparison of records with the storage leaves it alone. */
export const PROBE_PREFIX: string = `${OWN_PREFIX}probe/`;

export interface ProbeDeps {
  readonly randomUuid: () => string;
  /** Nothing new is tried after that. */
  readonly signal: AbortSignal;
}

/** S3's smallest part. */
const PART_BYTES = 5 * 1024 * 1024;
const MORE_BYTES = 64 * 1024;
const SMALL = Buffer.from("a few bytes\n");
const CLEANUP_MS = 5_000;

/** Never throws: what went wrong is in the results. */
export async function probeStorage(
  client: S3Client,
  bucket: string,
  { randomUuid, signal }: ProbeDeps,
): Promise<ProbeResults> {
  const results = Object.fromEntries(PROBES.map((name) => [name, { outcome: "skipped" }])) as Record<
    ProbeName,
    ProbeResult
  >;
  const probe = createProbe(client, bucket, `${PROBE_PREFIX}${randomUuid()}/`, signal);
  /** What comes after needs this one. */
  const tryIt = async (name: ProbeName, work: () => Promise<ProbeResult>): Promise<boolean> => {
    if (signal.aborted) return false;
    try {
      results[name] = await work();
    } catch (error) {
      results[name] = { outcome: "failed", fault: storageFault(error) };
    }
    return results[name].outcome === "good";
  };
  if (!(await tryIt("write", () => probe.write()))) {
    await probe.cleanUp();
    return results;
  }
  await tryIt("read", () => probe.read());
  await tryIt("ranged_read", () => probe.rangedRead());
  await tryIt("list", () => probe.list());
  await tryIt("wrong_checksum", () => probe.wrongChecksum());
  const canCopy = await tryIt("copy_part", () => probe.assemble("copied", { copies: true, mixed: false }));
  const hasParts =
    canCopy || (await tryIt("upload_parts", () => probe.assemble("sent", { copies: false, mixed: false })));
  if (canCopy) results.upload_parts = GOOD;
  if (hasParts) {
    await tryIt("mixed_sizes", () => probe.assemble("mixed", { copies: canCopy, mixed: true }));
    await tryIt("conditional_complete", () => probe.conditionalComplete());
    await tryIt("abort_upload", () => probe.abort());
  }
  await tryIt("conditional_put", () => probe.conditionalPut());
  // Last, and whatever time is left: a test leaves nothing behind.
  results.delete = await probe.cleanUp();
  return results;
}

const GOOD: ProbeResult = { outcome: "good" };
const bad = (why: string): ProbeResult => ({ outcome: "bad", why });

function createProbe(client: S3Client, Bucket: string, prefix: string, abortSignal: AbortSignal) {
  const source = `${prefix}source`;
  const content = Buffer.alloc(PART_BYTES + MORE_BYTES, "0123456789abcdef\n");
  const written = new Set<string>();
  const uploads = new Map<string, string>();
  let etag = "";

  const put = async (Key: string, Body: Buffer, more: { IfNoneMatch?: string } = {}): Promise<string> => {
    written.add(Key);
    const command = new PutObjectCommand({ Bucket, Key, Body, ChecksumCRC32: crcOf(Body), ...more });
    return (await client.send(command, { abortSignal })).ETag ?? "";
  };
  const open = async (Key: string): Promise<string> => {
    const command = new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC32" });
    const { UploadId: id } = await client.send(command, { abortSignal });
    if (id === undefined) throw new Error("It gave no id for an upload.");
    uploads.set(id, Key);
    return id;
  };
  const upload = async (
    at: { Key: string; UploadId: string },
    number: number,
    body: Buffer,
  ): Promise<CompletedPart> => {
    const part = { Bucket, ...at, PartNumber: number, Body: body, ChecksumCRC32: crcOf(body) };
    const { ETag } = await client.send(new UploadPartCommand(part), { abortSignal });
    return { PartNumber: number, ETag, ChecksumCRC32: crcOf(body) };
  };
  const copy = async (
    at: { Key: string; UploadId: string },
    number: number,
    bytes: number,
  ): Promise<CompletedPart> => {
    const range = { CopySourceRange: `bytes=0-${bytes - 1}`, CopySourceIfMatch: etag };
    const part = { Bucket, ...at, PartNumber: number, CopySource: `${Bucket}/${source}`, ...range };
    const { CopyPartResult: result } = await client.send(new UploadPartCopyCommand(part), { abortSignal });
    if (result?.ETag === undefined) throw new Error("It gave no ETag for a copied part.");
    const { LastModified: _time, ...made } = result;
    return { ...made, PartNumber: number };
  };
  const complete = async (at: { Key: string; UploadId: string }, Parts: CompletedPart[]): Promise<void> => {
    written.add(at.Key);
    const condition = { IfNoneMatch: "*", MultipartUpload: { Parts } };
    await client.send(new CompleteMultipartUploadCommand({ Bucket, ...at, ...condition }), { abortSignal });
    uploads.delete(at.UploadId);
  };
  const sizeOf = async (Key: string): Promise<number | undefined> => {
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal });
    return head.ContentLength;
  };

  return {
    async write(): Promise<ProbeResult> {
      etag = await put(source, content);
      return etag === "" ? bad("It gave no ETag.") : GOOD;
    },

    async read(): Promise<ProbeResult> {
      const size = await sizeOf(source);
      if (size !== content.length) return bad(`It says that the object has ${size ?? "no"} bytes.`);
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: source }), { abortSignal });
      const found = await collect(Body as AsyncIterable<Uint8Array>, content.length);
      return found.equals(content) ? GOOD : bad("Other bytes came back.");
    },

    async rangedRead(): Promise<ProbeResult> {
      const range = { Range: `bytes=${PART_BYTES}-${PART_BYTES + 99}`, IfMatch: etag };
      const command = new GetObjectCommand({ Bucket, Key: source, ...range });
      const { Body } = await client.send(command, { abortSignal });
      const found = await collect(Body as AsyncIterable<Uint8Array>, 100);
      const isIt = found.equals(content.subarray(PART_BYTES, PART_BYTES + 100));
      return isIt ? GOOD : bad("Other bytes came back.");
    },

    async list(): Promise<ProbeResult> {
      const command = new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 10 });
      const { Contents: found = [] } = await client.send(command, { abortSignal });
      return found.some(({ Key }) => Key === source) ? GOOD : bad("What was written is not in its list.");
    },

    async wrongChecksum(): Promise<ProbeResult> {
      const Key = `${prefix}damaged`;
      written.add(Key);
      const damaged = { Bucket, Key, Body: SMALL, ChecksumCRC32: crcOf(Buffer.from("other bytes")) };
      return refused(400, () => client.send(new PutObjectCommand(damaged), { abortSignal }));
    },

    /** The larger parts copied or sent, the last one small and sent, as in an archive. */
    async assemble(name: string, how: { copies: boolean; mixed: boolean }): Promise<ProbeResult> {
      const at = { Key: `${prefix}${name}`, UploadId: await open(`${prefix}${name}`) };
      const sizes = how.mixed ? [PART_BYTES, PART_BYTES + MORE_BYTES] : [PART_BYTES];
      const parts: CompletedPart[] = [];
      for (const bytes of sizes) {
        const number = parts.length + 1;
        parts.push(
          how.copies ? await copy(at, number, bytes) : await upload(at, number, content.subarray(0, bytes)),
        );
      }
      parts.push(await upload(at, parts.length + 1, SMALL));
      await complete(at, parts);
      const expected = sizes.reduce((sum, bytes) => sum + bytes, SMALL.length);
      const size = await sizeOf(at.Key);
      return size === expected ? GOOD : bad(`The object has ${size ?? "no"} bytes instead of ${expected}.`);
    },

    async conditionalComplete(): Promise<ProbeResult> {
      const at = { Key: source, UploadId: await open(source) };
      const part = await upload(at, 1, SMALL);
      return refused(412, () => complete(at, [part]));
    },

    async conditionalPut(): Promise<ProbeResult> {
      return refused(412, () => put(source, SMALL, { IfNoneMatch: "*" }));
    },

    async abort(): Promise<ProbeResult> {
      const Key = `${prefix}aborted`;
      const UploadId = await open(Key);
      await upload({ Key, UploadId }, 1, SMALL);
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal });
      uploads.delete(UploadId);
      return GOOD;
    },

    /** With a time of its own. Good when nothing is left. */
    async cleanUp(): Promise<ProbeResult> {
      const own = { abortSignal: AbortSignal.timeout(CLEANUP_MS) };
      const work = [
        ...[...uploads].map(([UploadId, Key]) =>
          client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), own),
        ),
        ...[...written].map((Key) => client.send(new DeleteObjectCommand({ Bucket, Key }), own)),
      ];
      for (const done of await Promise.allSettled(work)) {
        if (done.status === "rejected") return { outcome: "failed", fault: storageFault(done.reason) };
      }
      try {
        await client.send(new HeadObjectCommand({ Bucket, Key: source }), own);
        return bad("It is still there.");
      } catch (error) {
        const fault = storageFault(error);
        return fault.status === 404 ? GOOD : { outcome: "failed", fault };
      }
    },
  };
}

/** Good if the storage refuses, with that status; 409 is what some say instead, and 501 that they do not know it. */
async function refused(status: number, work: () => Promise<unknown>): Promise<ProbeResult> {
  try {
    await work();
  } catch (error) {
    const fault = storageFault(error);
    return fault.status === status ? GOOD : { outcome: "failed", fault };
  }
  return bad("");
}

/** At most so many bytes and one: who sends more has not understood. */
async function collect(body: AsyncIterable<Uint8Array>, atMost: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > atMost) break;
  }
  return Buffer.concat(pieces);
}

function crcOf(bytes: Uint8Array): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return checksum.toString("base64");
}
