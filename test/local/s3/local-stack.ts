// A throw-away S3 for tests, in process or as a child that can be killed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { staticCredentials } from "#local/s3/credentials.ts";
import { type S3Options, type S3Server, startS3 } from "#local/s3/server.ts";
import { clientOf, type S3Subject } from "#test/contracts/s3/subject.ts";

export const KEYS = { accessKeyId: "AKIALOCALTEST", secretAccessKey: "local/secret+key" } as const;
export const BUCKET = "archives";

export function subjectAt(endpoint: string, bucket: string = BUCKET): S3Subject {
  return { endpoint, region: "us-east-1", credentials: KEYS, bucket };
}

export interface TestS3 {
  readonly dataDir: string;
  readonly server: S3Server;
  readonly subject: S3Subject;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server with an empty bucket, in a directory that goes with it. */
export async function startTestS3(options: Partial<S3Options> = {}): Promise<TestS3> {
  const dataDir = await mkdtemp(join(tmpdir(), "backupd-s3-"));
  const server = await startS3({
    dataDir,
    port: 0,
    credentials: staticCredentials({ [KEYS.accessKeyId]: { secretAccessKey: KEYS.secretAccessKey } }),
    now: () => new Date(),
    ...options,
  });
  const subject = subjectAt(server.endpoint);
  await clientOf(subject).send(new CreateBucketCommand({ Bucket: BUCKET }));
  return {
    dataDir,
    server,
    subject,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface ChildS3 {
  readonly endpoint: string;
  readonly process: ChildProcess;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The server as a process of its own on `dataDir`, for what only a killed process can show. */
export async function spawnS3(dataDir: string): Promise<ChildS3> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "s3-child.ts"), dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [endpoint] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const kill = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  // A failed test must not leave its server behind.
  return { endpoint, process: child, kill, [Symbol.asyncDispose]: () => kill("SIGKILL") };
}
