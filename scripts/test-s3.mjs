// npm run test:s3: the S3 contract and the engine's own backups against the S3 server that the environment names
// (test/contracts/s3/remote-subject.ts), with what it is known not to do skipped by name and reason.
import { join } from "node:path";
import { runChild } from "./run-child.mjs";
import { ROOT, runMain, setUp } from "./setup.mjs";

const NEEDED = ["S3_TEST_ENDPOINT", "S3_TEST_ACCESS_KEY", "S3_TEST_SECRET_KEY"];

await runMain(async () => {
  const missing = NEEDED.filter((name) => !process.env[name]);
  if (missing.length > 0) {
    console.error(
      `Set ${missing.join(", ")}: the server to test against, and keys that may make buckets there.`,
    );
    return 2;
  }
  const node = setUp("test");
  const vitest = join("node_modules", "vitest", "vitest.mjs");
  const files = ["test/contracts/s3/remote.test.ts", "test/contracts/s3/engine.system.test.ts"];
  const args = [vitest, "run", "--reporter=verbose", "--no-file-parallelism", ...files];
  return await runChild(node, args, { root: ROOT });
});
