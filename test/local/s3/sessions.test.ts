// What a node may do with the credentials STS gives it, against the real pair of servers: its own prefix, nothing
// else, and only while they last.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { staticCredentials } from "#local/s3/credentials.ts";
import { type StsServer, startSts } from "#local/sts/server.ts";
import {
  clientOf,
  expectRefusal,
  MIB,
  patterned,
  put,
  putInParts,
  readObject,
} from "#test/contracts/s3/subject.ts";
import { BUCKET, KEYS, startTestS3, type TestS3 } from "./local-stack.ts";

const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
      Resource: `arn:aws:s3:::${BUCKET}/node-a/*`,
    },
    {
      Effect: "Allow",
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
      Resource: "arn:aws:sqs:*:*:node-a",
    },
  ],
});
const ROLE = { RoleArn: "arn:aws:iam::123456789012:role/backupd-node", RoleSessionName: "node-a" };
const PLACE = { Bucket: BUCKET, Key: "node-b/x" };

let stsDir: string;
let sts: StsServer;
let s3: TestS3;
let clock: Date;

const start = (): Promise<StsServer> =>
  startSts({
    dataDir: stsDir,
    port: 0,
    credentials: staticCredentials({ [KEYS.accessKeyId]: { secretAccessKey: KEYS.secretAccessKey } }),
    now: () => clock,
  });

beforeEach(async () => {
  clock = new Date();
  stsDir = await mkdtemp(join(tmpdir(), "backupd-sts-"));
  sts = await start();
  // Through a lookup of `sts` at each request, as a restart of STS in these tests replaces it.
  s3 = await startTestS3({ credentials: { find: (id) => sts.credentials.find(id) }, now: () => clock });
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
  await sts.close();
  await rm(stsDir, { recursive: true, force: true });
});

type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

function stsClient(credentials: Keys = KEYS): STSClient {
  return new STSClient({ endpoint: sts.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
}

async function assume(
  input: Partial<AssumeRoleCommandInput> = {},
  credentials?: Keys,
): Promise<Required<Keys>> {
  const reply = await stsClient(credentials).send(
    new AssumeRoleCommand({ ...ROLE, Policy: POLICY, ...input }),
  );
  return {
    accessKeyId: reply.Credentials?.AccessKeyId ?? "",
    secretAccessKey: reply.Credentials?.SecretAccessKey ?? "",
    sessionToken: reply.Credentials?.SessionToken ?? "",
  };
}

const nodeClient = (credentials: Keys, overrides: object = {}): S3Client =>
  clientOf(s3.subject, { credentials, ...overrides });

describe("a node's session", () => {
  it("reads and writes its own prefix, also in parts and copies", async () => {
    const client = nodeClient(await assume());
    await put(client, BUCKET, "node-a/x", Buffer.from("mine"));
    expect((await readObject(client, BUCKET, "node-a/x")).toString()).toBe("mine");
    await putInParts(client, BUCKET, "node-a/parts", [patterned(5 * MIB), patterned(3)]);
    const copy = { Bucket: BUCKET, Key: "node-a/y", CopySource: `${BUCKET}/node-a/x` };
    await client.send(new CopyObjectCommand(copy));
    const upload = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: "node-a/z" }));
    const part = { Bucket: BUCKET, Key: "node-a/z", UploadId: upload.UploadId };
    await client.send(
      new UploadPartCopyCommand({ ...part, PartNumber: 1, CopySource: `${BUCKET}/node-a/x` }),
    );
    await client.send(new AbortMultipartUploadCommand(part));
  });

  it("cannot delete, list or touch another prefix", async () => {
    const operator = clientOf(s3.subject);
    await put(operator, BUCKET, "node-a/x", Buffer.from("mine"));
    await put(operator, BUCKET, "node-b/x", Buffer.from("theirs"));
    const client = nodeClient(await assume());
    const denied = [
      client.send(new GetObjectCommand(PLACE)),
      client.send(new PutObjectCommand({ ...PLACE, Body: "evil" })),
      client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "node-aa/x", Body: "evil" })),
      client.send(new CreateMultipartUploadCommand(PLACE)),
      client.send(
        new CopyObjectCommand({ Bucket: BUCKET, Key: "node-a/y", CopySource: `${BUCKET}/node-b/x` }),
      ),
      client.send(new CopyObjectCommand({ ...PLACE, CopySource: `${BUCKET}/node-a/x` })),
      client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "node-a/x" })),
      client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "node-a/" })),
      client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET })),
      client.send(new ListBucketsCommand({})),
      // Who may not list is not told what exists.
      client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "node-a/nothing" })),
    ];
    await Promise.all(denied.map((attempt) => expectRefusal(attempt, "AccessDenied", 403)));
    const many = await client.send(
      new DeleteObjectsCommand({
        Bucket: BUCKET,
        Delete: { Objects: [{ Key: "node-a/x" }, { Key: "node-b/x" }] },
      }),
    );
    expect(many.Deleted ?? []).toEqual([]);
    expect(many.Errors?.map((error) => error.Code)).toEqual(["AccessDenied", "AccessDenied"]);
    expect((await s3.server.inspect()).objects.map((object) => object.key)).toEqual(["node-a/x", "node-b/x"]);
  });

  it("is bound to its token and ends with it, for presigned URLs too", async () => {
    const session = await assume({ DurationSeconds: 900 });
    const client = nodeClient(session);
    await put(client, BUCKET, "node-a/x", Buffer.from("mine"));
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: "node-a/x" }), {
      expiresIn: 3600,
    });
    expect((await fetch(url)).status).toBe(200);
    const get = (credentials: Keys): Promise<unknown> =>
      readObject(nodeClient(credentials), BUCKET, "node-a/x");
    const { sessionToken, ...bare } = session;
    await expectRefusal(get(bare), "InvalidAccessKeyId", 403);
    await expectRefusal(get({ ...bare, sessionToken: `${sessionToken}x` }), "InvalidToken", 400);
    await expectRefusal(get({ ...KEYS, sessionToken }), "InvalidToken", 400);
    const another = await assume();
    await expectRefusal(get({ ...bare, sessionToken: another.sessionToken }), "InvalidToken", 400);

    clock = new Date(clock.getTime() + 901_000);
    const later = nodeClient(session, { systemClockOffset: 901_000 });
    await expectRefusal(readObject(later, BUCKET, "node-a/x"), "ExpiredToken", 403);
    expect([(await fetch(url)).status]).toEqual([403]);
  });

  it("survives a restart of STS, in files that only their owner reads", async () => {
    const session = await assume();
    await sts.close();
    sts = await start();
    await put(nodeClient(session), BUCKET, "node-a/x", Buffer.from("mine"));
    await expectRefusal(put(nodeClient(session), BUCKET, "node-b/x", Buffer.from("x")), "AccessDenied", 403);
    const modes = await Promise.all(
      (await readdir(stsDir)).map(async (name) => (await stat(join(stsDir, name))).mode & 0o777),
    );
    expect(modes.length).toBeGreaterThan(0);
    expect(modes.every((mode) => mode === 0o600)).toBe(true);
  });
});

describe("STS", () => {
  it("says who is calling", async () => {
    const root = await stsClient().send(new GetCallerIdentityCommand({}));
    expect(root.Arn).toBe("arn:aws:iam::000000000000:root");
    const session = await stsClient(await assume()).send(new GetCallerIdentityCommand({}));
    expect(session.Account).toBe("123456789012");
    expect(session.Arn).toBe("arn:aws:sts::123456789012:assumed-role/backupd-node/node-a");
  });

  it.each([
    ["a lifetime under 15 minutes", { DurationSeconds: 899 }, "ValidationError"],
    ["a lifetime over 12 hours", { DurationSeconds: 43_201 }, "ValidationError"],
    [
      "an ARN that is no role",
      { RoleArn: "arn:aws:iam::123456789012:user/x-long-enough" },
      "ValidationError",
    ],
    ["a session name with a space", { RoleSessionName: "node a" }, "ValidationError"],
    ["a policy longer than AWS takes", { Policy: `${POLICY}${" ".repeat(2048)}` }, "ValidationError"],
    ["a policy that is not JSON", { Policy: "{" }, "MalformedPolicyDocumentException"],
    [
      "a policy with a condition",
      { Policy: POLICY.replace('"Effect"', '"Condition":{},"Effect"') },
      "MalformedPolicyDocumentException",
    ],
  ])("refuses %s", async (_what, input, code) => {
    await expectRefusal(assume(input), code, 400);
  });

  it("refuses a wrong key, and a session that wants another", async () => {
    await expectRefusal(assume({}, { ...KEYS, secretAccessKey: "wrong" }), "SignatureDoesNotMatch", 403);
    await expectRefusal(assume({}, { ...KEYS, accessKeyId: "NOBODY" }), "InvalidClientTokenId", 403);
    await expectRefusal(assume({}, await assume()), "AccessDenied", 403);
  });
});
