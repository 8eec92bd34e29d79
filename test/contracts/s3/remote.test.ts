// Runs the S3 contract against the server of remote-subject.ts, when there is one (`npm run test:s3`). What that server
// is known not to do is skipped, with the reason.
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { knownDifferences } from "./known-differences.ts";
import { lockCases } from "./lock-cases.ts";
import { openRemoteSessions } from "./remote-sessions.ts";
import { remoteSubject } from "./remote-subject.ts";
import { type SessionSubject, sessionCases } from "./session-cases.ts";
import { clientOf } from "./subject.ts";
import { s3Contract } from "./suite.ts";

const subject = remoteSubject();

describe.runIf(subject !== undefined)("S3_TEST_ENDPOINT", () => {
  if (subject === undefined) return;
  let sessions: SessionSubject & AsyncDisposable;
  beforeAll(async () => {
    await clientOf(subject).send(new CreateBucketCommand({ Bucket: subject.bucket }));
    sessions = await openRemoteSessions(subject);
  });
  afterAll(() => sessions?.[Symbol.asyncDispose]());
  const differences = Object.entries(knownDifferences(process.env["S3_TEST_SERVER"]));
  beforeEach(({ task, skip }) => {
    const known = differences.find(([beginning]) => task.name.startsWith(beginning));
    if (known !== undefined) skip(known[1]);
  });
  s3Contract(subject.endpoint, () => subject);
  sessionCases(() => sessions);
  lockCases(() => sessions);
});
