// Runs the S3 contract against the server named by S3_TEST_ENDPOINT, when there is one.
import { randomBytes } from "node:crypto";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe } from "vitest";
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
  s3Contract(subject.endpoint, () => subject);
});
