// The aws CLI against the local S3: another SDK's signing, chunking and checksums, and a multipart upload of its own.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MIB, patterned } from "#test/contracts/s3/subject.ts";
import { BUCKET, KEYS, startTestS3 } from "./local-stack.ts";

const run = promisify(execFile);
const installed = await run("aws", ["--version"]).then(
  () => true,
  () => false,
);

describe(`aws CLI${installed ? "" : " (skipped: aws is not installed)"}`, () => {
  it.runIf(installed)("copies there and back, lists, and removes", { timeout: 120_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), "backupd-awscli-"));
    await using s3 = await startTestS3();
    try {
      const aws = (...args: string[]): Promise<{ stdout: string }> =>
        run("aws", ["--endpoint-url", s3.server.endpoint, ...args], {
          env: {
            ...process.env,
            AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
            AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
            AWS_DEFAULT_REGION: "us-east-1",
            AWS_CONFIG_FILE: join(directory, "none"),
            AWS_SHARED_CREDENTIALS_FILE: join(directory, "none"),
          },
        });
      const body = patterned(9 * MIB + 5);
      await writeFile(join(directory, "up"), body);
      const url = `s3://${BUCKET}/cli/a key+ü`;
      await aws("s3", "cp", "--only-show-errors", join(directory, "up"), url);
      await aws("s3", "cp", "--only-show-errors", url, `${url} copy`);
      await aws("s3", "cp", "--only-show-errors", `${url} copy`, join(directory, "down"));
      expect((await readFile(join(directory, "down"))).equals(body)).toBe(true);
      expect((await aws("s3", "ls", `s3://${BUCKET}/cli/`)).stdout).toContain("a key+ü copy");
      await aws("s3", "rm", "--recursive", "--only-show-errors", `s3://${BUCKET}/cli/`);
      expect(await s3.server.inspect()).toMatchObject({ objects: [], openUploads: [], filesOnDisk: 0 });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
