// restic, a backup tool nobody here wrote, keeps a repository on the local S3: signed chunks, listings and ranges as
// a Go client does them, judged by restic's own check of every byte.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MIB, patterned } from "#test/contracts/s3/subject.ts";
import { BUCKET, KEYS, startTestS3 } from "./local-stack.ts";

const run = promisify(execFile);
const installed = await run("restic", ["version"]).then(
  () => true,
  () => false,
);

describe(`restic${installed ? "" : " (skipped: restic is not installed)"}`, () => {
  it.runIf(installed)("backs up, restores, forgets and finds its repository whole", async () => {
    const directory = await mkdtemp(join(tmpdir(), "backupd-restic-"));
    await using s3 = await startTestS3();
    try {
      const restic = (...args: string[]): Promise<{ stdout: string }> =>
        run("restic", ["--no-cache", ...args], {
          env: {
            ...process.env,
            AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
            AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
            RESTIC_REPOSITORY: `s3:${s3.server.endpoint}/${BUCKET}/restic`,
            RESTIC_PASSWORD: "test",
          },
        });
      const site = join(directory, "site");
      await mkdir(site);
      const files = Array.from({ length: 40 }, (_, index) => patterned(index * 20_011, index + 1));
      files.push(patterned(40 * MIB, 99));
      const write = (bytes: Buffer, index: number): Promise<void> =>
        writeFile(join(site, `file ${index}`), bytes);
      await Promise.all(files.map(write));
      await restic("init");
      await restic("backup", site);
      await writeFile(join(site, "file 3"), "changed");
      await restic("backup", site);
      await restic("check", "--read-data");
      await restic("restore", "latest", "--target", join(directory, "out"));
      const restored = join(directory, "out", site);
      expect(await readFile(join(restored, "file 3"), "utf8")).toBe("changed");
      for (const [index, bytes] of files.entries()) {
        if (index !== 3) expect((await readFile(join(restored, `file ${index}`))).equals(bytes)).toBe(true);
      }
      await restic("forget", "--keep-last", "1", "--prune");
      await restic("check", "--read-data");
      const { filesOnDisk, partFiles, openUploads } = await s3.server.inspect();
      expect(openUploads).toEqual([]);
      expect(filesOnDisk).toBe(partFiles.count);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
