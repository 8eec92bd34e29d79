// The copying half of an upload against a real S3 server on a socket: what S3 refuses to copy becomes a reason to pack in
// full, never a wrong archive.
import { S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Credential, staticCredentials } from "#local/s3/credentials.ts";
import type { S3FaultHook } from "#local/s3/faults.ts";
import type { Piece } from "#runner/io/archive.ts";
import { inOnePiece } from "#runner/io/compress.ts";
import { CopyRefused, type CopySource } from "#runner/io/copy-parts.ts";
import { uploadMultipart } from "#runner/io/multipart.ts";
import { makeS3 } from "#runner/io/s3-client.ts";
import { S3_COPY_LIMITS } from "#runner/plan/copy/plan-copies.ts";
import type { CopyPart } from "#runner/plan/copy/split-copies.ts";
import { clientOf, MIB, patterned, put, putInParts, readObject } from "#test/contracts/s3/subject.ts";
import { BUCKET, KEYS, startTestS3, type TestS3 } from "#test/local/s3/local-stack.ts";

const SOURCE = "node/site/first.tar.zst";
const TARGET = "node/site/second.tar.zst";
/** May read and write, and not list, as nodes may. */
const NODE = {
  accessKeyId: "AKIANODE",
  secretAccessKey: "node",
  policy: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: ["*"] }],
  },
} as const satisfies Credential & { readonly accessKeyId: string };
const OLD = patterned(12 * MIB);
const FRESH = patterned(1000, 2);

let s3: TestS3;
let etag: string;
let fault: S3FaultHook;
beforeEach(async () => {
  fault = () => undefined;
  s3 = await startTestS3({
    credentials: staticCredentials({ [KEYS.accessKeyId]: KEYS, [NODE.accessKeyId]: NODE }),
    faults: (request) => fault(request),
  });
  etag = await putInParts(clientOf(s3.subject), BUCKET, SOURCE, [OLD]);
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

async function copyAnd(
  parts: readonly CopyPart[],
  source: CopySource = { key: SOURCE, etag },
  {
    keys = KEYS,
    ...copying
  }: { readonly patienceMs?: number; readonly keys?: typeof KEYS | typeof NODE } = {},
): ReturnType<typeof uploadMultipart> {
  const { endpoint, region } = s3.subject;
  const client = makeS3({ endpoint, region }, async () => KEYS);
  const copier = new S3Client({
    endpoint,
    region,
    credentials: keys,
    maxAttempts: 2,
    forcePathStyle: true,
  });
  async function* pieces(): AsyncGenerator<Piece, void, undefined> {
    yield inOnePiece(Buffer.from(FRESH));
  }
  try {
    return await uploadMultipart({
      s3: client,
      bucket: BUCKET,
      key: TARGET,
      pieces: pieces(),
      copies: { source, parts, s3: copier, ...copying },
      expectedBytes: 10 * MIB,
      concurrency: 4,
      signal: new AbortController().signal,
      beforeComplete: async () => undefined,
      onOpen: async () => undefined,
      isWorthKeeping: () => false,
      onAborted: async () => undefined,
      onNotAborted: async () => undefined,
    });
  } finally {
    client.destroy();
    copier.destroy();
  }
}

async function expectRefused(copying: Promise<unknown>, reason: CopyRefused["reason"]): Promise<void> {
  const error: unknown = await copying.catch((refusal: unknown) => refusal);
  expect(error).toBeInstanceOf(CopyRefused);
  expect((error as CopyRefused).reason).toBe(reason);
  const { objects, openUploads } = await s3.server.inspect();
  expect(objects.map(({ key }) => key)).toEqual([SOURCE]);
  expect(openUploads).toEqual([]);
}

it("puts the copied ranges, in order, before what is fresh", async () => {
  const parts = [
    { offset: 7 * MIB, bytes: 5 * MIB },
    { offset: 1, bytes: 6 * MIB },
  ];
  const { sizeBytes } = await copyAnd(parts);
  const made = await readObject(clientOf(s3.subject), BUCKET, TARGET);
  const expected = [OLD.subarray(7 * MIB), OLD.subarray(1, 6 * MIB + 1), FRESH];
  expect(made.equals(Buffer.concat(expected))).toBe(true);
  expect(sizeBytes).toBe(made.length);
});

describe("is refused, with nothing left behind,", () => {
  const whole = [{ offset: 0, bytes: 6 * MIB }];

  it("when the source was replaced by another object", async () => {
    await put(clientOf(s3.subject), BUCKET, SOURCE, patterned(12 * MIB, 9));
    await expectRefused(copyAnd(whole), "source_changed");
  });

  it("when the source is gone", async () => {
    await expectRefused(copyAnd(whole, { key: "node/site/never", etag }), "source_gone");
  });

  it("when the source is gone for somebody who may not list, to whom S3 says that it is forbidden", async () => {
    const gone = { key: "node/site/never", etag };
    await expectRefused(copyAnd(whole, gone, { keys: NODE }), "source_gone");
  });

  it("when the source may be read and not copied", async () => {
    fault = ({ operation }) =>
      operation === "UploadPartCopy" ? { status: 403, code: "AccessDenied" } : undefined;
    await expectRefused(copyAnd(whole), "copy_refused");
  });

  it("when the storage keeps failing to copy, though it is there", async () => {
    fault = ({ operation }) =>
      operation === "UploadPartCopy" ? { status: 500, code: "InternalError" } : undefined;
    await expectRefused(copyAnd(whole), "copy_failed");
  });

  it("when a copy takes longer than sending would, and the other copies end with it", async () => {
    const held = Promise.withResolvers<undefined>();
    fault = ({ operation, partNumber }) =>
      operation === "UploadPartCopy" && partNumber === 1 ? held.promise : undefined;
    const parts = [...whole, { offset: 6 * MIB, bytes: 6 * MIB }];
    const copying = copyAnd(parts, undefined, { patienceMs: 50 });
    await expectRefused(copying, "copy_failed").finally(() => held.resolve(undefined));
  });

  it("when a range goes beyond the source", async () => {
    await expectRefused(copyAnd([{ offset: 6 * MIB, bytes: 6 * MIB + 1 }]), "copy_refused");
  });

  it("when a copied part is under 5 MiB, which the planner's limits never allow", async () => {
    const small = S3_COPY_LIMITS.minCopyBytes - 1;
    expect(small).toBe(5 * MIB - 1);
    await expectRefused(copyAnd([{ offset: 0, bytes: small }]), "copy_refused");
  });
});

it("fails where the connection is lost at once: that says nothing about copying", async () => {
  fault = ({ operation }) => (operation === "UploadPartCopy" ? "reset" : undefined);
  const copying = copyAnd([{ offset: 0, bytes: 6 * MIB }]);
  await expect(copying).rejects.toMatchObject({ code: "storage_unreachable" });
});
