// What a node may do with a session of a role that is cut down by the Master's own policy, as an S3 server enforces it:
// the allow and deny cases of roles.system.test.ts, asked of the server itself.
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { AssumeRoleCommandOutput } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it } from "vitest";
import { sessionPolicy } from "#functions/core/session-policy.ts";
import {
  clientOf,
  expectRefusal,
  MIB,
  patterned,
  put,
  putInParts,
  readObject,
  type S3Subject,
} from "./subject.ts";

export interface SessionKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface SessionSubject {
  readonly subject: S3Subject;
  /** A role that may do everything in S3. */
  readonly roleArn: string;
  /** By AssumeRole of the server's STS. */
  readonly assume: (policy: string, seconds: number) => Promise<SessionKeys>;
  /** The shortest session that the server gives. */
  readonly shortestSeconds: number;
  /** Lets so much time go by for the server; gives by how much its clock is ahead then. */
  readonly pass: (seconds: number) => Promise<{ aheadMs: number }>;
}

export function sessionKeys({ Credentials: keys }: AssumeRoleCommandOutput): SessionKeys {
  return {
    accessKeyId: keys?.AccessKeyId ?? "",
    secretAccessKey: keys?.SecretAccessKey ?? "",
    sessionToken: keys?.SessionToken ?? "",
  };
}

const NODE = "0b8f3a52-5e0c-4b57-9f6a-0d3f3d7f6a11";
const OTHER = "7c1d2e3f-1111-4222-8333-944445555666";
const BODY = Buffer.from("an archive");
const HOUR = 3600;

/** A node's, in the bucket of the subject. */
export async function nodeSession(on: SessionSubject, seconds: number = HOUR): Promise<S3Client> {
  return clientOf(on.subject, { credentials: await nodeKeys(on, seconds) });
}

/** As for a storage without a queue: other servers than AWS take no policy that names one. */
function nodeKeys({ subject, roleArn, assume }: SessionSubject, seconds: number): Promise<SessionKeys> {
  return assume(sessionPolicy({ nodeId: NODE, roleArn, bucket: subject.bucket }), seconds);
}

/** Of the node that `nodeSession` is for. */
export const ownKey = (name: string): string => `${NODE}/site/${name}`;

/** Servers name it in several ways when keys are nobody's, or nobody's any more. */
async function expectNobody(action: Promise<unknown>): Promise<void> {
  const error = await action.catch((reason: unknown) => reason);
  const { httpStatusCode: status } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  expect([400, 403]).toContain(status);
}

export function sessionCases(source: () => SessionSubject): void {
  describe("a node's session", () => {
    it("writes and reads below its own prefix", async () => {
      const { bucket } = source().subject;
      const client = await nodeSession(source());
      await put(client, bucket, ownKey("put"), BODY);
      expect((await readObject(client, bucket, ownKey("put"))).equals(BODY)).toBe(true);
      await putInParts(client, bucket, ownKey("parts"), [patterned(5 * MIB), BODY]);
      expect((await readObject(client, bucket, ownKey("parts"), `bytes=${5 * MIB}-`)).equals(BODY)).toBe(
        true,
      );
    });

    it("lists and aborts its own open upload", async () => {
      const { bucket: Bucket } = source().subject;
      const client = await nodeSession(source());
      const place = { Bucket, Key: ownKey("open") };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
      const upload = { ...place, UploadId };
      await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: BODY }));
      const { Parts } = await client.send(new ListPartsCommand(upload));
      expect(Parts).toMatchObject([{ PartNumber: 1, Size: BODY.length }]);
      await client.send(new AbortMultipartUploadCommand(upload));
      await expect(client.send(new ListPartsCommand(upload))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 404 },
      });
    });

    it("copies parts below its own prefix, and from nobody else's", async () => {
      const { subject } = source();
      const client = await nodeSession(source());
      await put(client, subject.bucket, ownKey("source"), BODY);
      await put(clientOf(subject), subject.bucket, `${OTHER}/site/source`, BODY);
      const place = { Bucket: subject.bucket, Key: ownKey("copy") };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
      const copyOf = (key: string): Promise<unknown> =>
        client.send(
          new UploadPartCopyCommand({
            ...place,
            UploadId,
            PartNumber: 1,
            CopySource: `${subject.bucket}/${key}`,
          }),
        );
      await copyOf(ownKey("source"));
      await expectRefusal(copyOf(`${OTHER}/site/source`), "AccessDenied", 403);
      await client.send(new AbortMultipartUploadCommand({ ...place, UploadId }));
    });

    it("neither reads nor writes below any other prefix", async () => {
      const { subject } = source();
      const client = await nodeSession(source());
      for (const key of [`${OTHER}/site/x`, `${NODE}x/site/x`, `${NODE.slice(0, -1)}/x`, NODE, "x"]) {
        await put(clientOf(subject), subject.bucket, key, BODY);
        const place = { Bucket: subject.bucket, Key: key };
        const attempts = [
          new GetObjectCommand(place),
          new PutObjectCommand({ ...place, Body: "evil" }),
          new CreateMultipartUploadCommand(place),
        ] as const;
        for (const attempt of attempts) {
          await expectRefusal(client.send(attempt as GetObjectCommand), "AccessDenied", 403);
        }
        expect((await readObject(clientOf(subject), subject.bucket, key)).equals(BODY)).toBe(true);
      }
    });

    it("deletes nothing, not even its own", async () => {
      const { subject } = source();
      const { bucket: Bucket } = subject;
      const client = await nodeSession(source());
      const Key = ownKey("kept");
      await put(client, Bucket, Key, BODY);
      await expectRefusal(client.send(new DeleteObjectCommand({ Bucket, Key })), "AccessDenied", 403);
      const many = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } });
      // S3 tells so by object, some servers of the whole request.
      const refused = await client.send(many).then(
        ({ Errors = [] }) => Errors.map(({ Code }) => Code),
        (error: Error) => [error.name],
      );
      expect(refused).toEqual(["AccessDenied"]);
      expect((await readObject(clientOf(subject), Bucket, Key)).equals(BODY)).toBe(true);
    });

    it("lists nothing", async () => {
      const { bucket: Bucket } = source().subject;
      const client = await nodeSession(source());
      const list = client.send(new ListObjectsV2Command({ Bucket, Prefix: `${NODE}/` }));
      await expectRefusal(list, "AccessDenied", 403);
      await expectRefusal(client.send(new ListMultipartUploadsCommand({ Bucket })), "AccessDenied", 403);
    });

    it("is of one bucket", async () => {
      const on = source();
      const client = await nodeSession({
        ...on,
        subject: { ...on.subject, bucket: `${on.subject.bucket}-no` },
      });
      const { bucket: Bucket } = on.subject;
      await put(clientOf(on.subject), Bucket, ownKey("here"), BODY);
      await expectRefusal(readObject(client, Bucket, ownKey("here")), "AccessDenied", 403);
      await expectRefusal(put(client, Bucket, ownKey("here"), Buffer.from("evil")), "AccessDenied", 403);
    });

    it("is nothing without its own token", async () => {
      const on = source();
      const keys = await nodeKeys(on, HOUR);
      const another = await nodeKeys(on, HOUR);
      await put(clientOf(on.subject), on.subject.bucket, ownKey("token"), BODY);
      const { sessionToken, ...bare } = keys;
      for (const credentials of [
        bare,
        { ...bare, sessionToken: `${sessionToken.slice(0, -8)}AAAAAAA=` },
        { ...bare, sessionToken: another.sessionToken },
      ]) {
        const client = clientOf(on.subject, { credentials });
        await expectNobody(readObject(client, on.subject.bucket, ownKey("token")));
      }
    });

    it("ends, for presigned URLs too", async ({ skip }) => {
      const on = source();
      const { shortestSeconds: seconds } = on;
      skip(seconds > PATIENCE_SECONDS, `the shortest session lasts ${seconds} s`);
      const place = { Bucket: on.subject.bucket, Key: ownKey("ends") };
      const credentials = await nodeKeys(on, seconds);
      const client = clientOf(on.subject, { credentials });
      await client.send(new PutObjectCommand({ ...place, Body: BODY }));
      const url = await getSignedUrl(client, new GetObjectCommand(place), { expiresIn: HOUR });
      expect((await fetch(url)).status).toBe(200);
      const { aheadMs: systemClockOffset } = await on.pass(seconds + 1);
      // One for each call: an SDK's client sets its clock by what it is refused with.
      const late = (): S3Client => clientOf(on.subject, { credentials, systemClockOffset });
      await expectNobody(late().send(new GetObjectCommand(place)));
      const evil = new PutObjectCommand({ ...place, Body: "evil" });
      await expectNobody(late().send(evil));
      expect([400, 403]).toContain((await fetch(url)).status);
    });
  });
}

const PATIENCE_SECONDS = 60;
