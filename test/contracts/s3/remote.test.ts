// Runs the S3 contract against the server at S3_TEST_ENDPOINT, when there is one (`npm run test:s3`). What S3_TEST_SERVER
// is known not to do is skipped, with the reason.
import { randomBytes } from "node:crypto";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { beforeAll, beforeEach, describe } from "vitest";
import { knownDifferences } from "./known-differences.ts";
import { clientOf, type S3Subject } from "./subject.ts";
import { s3Contract } from "./suite.ts";

const endpoint = process.env.S3_TEST_ENDPOINT;

describe.runIf(endpoint !== undefined)("S3_TEST_ENDPOINT", () => {
  const subject: S3Subject = {
    endpoint: endpoint ?? "",
    region: process.env.S3_TEST_REGION ?? "us-east-1",
    credentials: {
      accessKeyId: process.env.S3_TEST_ACCESS_KEY ?? "",
      secretAccessKey: process.env.S3_TEST_SECRET_KEY ?? "",
    },
    bucket: `contract-${randomBytes(6).toString("hex")}`,
  };
  beforeAll(async () => {
    await clientOf(subject).send(new CreateBucketCommand({ Bucket: subject.bucket }));
  });
  const differences = Object.entries(knownDifferences(process.env["S3_TEST_SERVER"]));
  beforeEach(({ task, skip }) => {
    const known = differences.find(([beginning]) => task.name.startsWith(beginning));
    if (known !== undefined) skip(known[1]);
  });
  s3Contract(subject.endpoint, () => subject);
});
