// Runs the S3 contract against the local stack's server.
import { afterAll, beforeAll } from "vitest";
import { startTestS3, type TestS3 } from "#test/local/s3/local-stack.ts";
import { s3Contract } from "./suite.ts";

let s3: TestS3;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

s3Contract("the local S3", () => s3.subject);
