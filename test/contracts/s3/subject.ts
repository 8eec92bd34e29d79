// What the S3 contract suite is run against, and the small tools its cases share.
import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";

export const MIB: number = 1024 * 1024;

export interface S3Subject {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** An existing, empty bucket of this run. */
  readonly bucket: string;
}

/** Cases ask for the subject when they run: servers are started in beforeAll. */
export type SubjectSource = () => S3Subject;

export function clientOf(subject: S3Subject, overrides: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: subject.endpoint,
    region: subject.region,
    credentials: { ...subject.credentials },
    forcePathStyle: true,
    maxAttempts: 1,
    ...overrides,
  });
}

/** Bytes that differ at every offset a test could confuse, the same each run. */
export function patterned(bytes: number, seed = 1): Buffer {
  const out = Buffer.alloc(bytes);
  let state = seed * 2654435761;
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[index] = state >>> 24;
  }
  return out;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

export async function readObject(
  client: S3Client,
  bucket: string,
  key: string,
  range?: string,
): Promise<Buffer> {
  const reply = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...(range === undefined ? {} : { Range: range }) }),
  );
  return Buffer.from((await reply.Body?.transformToByteArray()) ?? []);
}

export async function put(client: S3Client, bucket: string, key: string, body: Uint8Array): Promise<string> {
  const reply = await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  return reply.ETag ?? "";
}

/** A finished multipart object of these parts, sent as the SDK does by default. */
export async function putInParts(
  client: S3Client,
  bucket: string,
  key: string,
  parts: readonly Uint8Array[],
): Promise<string> {
  const place = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
  const Parts = [];
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    const part = await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
  }
  const reply = await client.send(
    new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }),
  );
  return reply.ETag ?? "";
}

/** Asserts that S3 refuses with this code (HEAD replies carry only a status) and status. */
export async function expectRefusal(action: Promise<unknown>, code: string, status: number): Promise<void> {
  const error = await action.then(
    () => new Error(`expected ${code}, but it was done`),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ $metadata: { httpStatusCode: status } });
  if (status !== 304) expect((error as Error).name).toBe(code);
}
