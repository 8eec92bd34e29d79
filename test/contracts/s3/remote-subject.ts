// The S3 server to try, as the environment names it: S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY, and if
// need be S3_TEST_REGION; S3_TEST_SERVER says which of known-differences.ts it has.
import { randomBytes } from "node:crypto";
import type { S3Subject } from "./subject.ts";

/** Undefined if none is named. The bucket has yet to be made. */
export function remoteSubject(): S3Subject | undefined {
  const { S3_TEST_ENDPOINT, S3_TEST_REGION, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY } = process.env;
  if (S3_TEST_ENDPOINT === undefined) return undefined;
  return {
    endpoint: S3_TEST_ENDPOINT,
    region: S3_TEST_REGION ?? "us-east-1",
    credentials: { accessKeyId: S3_TEST_ACCESS_KEY ?? "", secretAccessKey: S3_TEST_SECRET_KEY ?? "" },
    bucket: `contract-${randomBytes(6).toString("hex")}`,
  };
}
