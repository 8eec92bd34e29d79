// S3 that refuses, fails or hangs up at each step of an upload: for good, the job says what to look at and leaves
// nothing behind; once, nobody notices; and a completion whose answer is lost is still exactly one backup.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { S3Fault } from "#local/s3/faults.ts";
import type { OperationName } from "#local/s3/target.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { type ExpectedError, expectCleanFailure, expectOneBackupMore, lastJob } from "./clean-end.ts";
import { holdS3, until } from "./hold.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  await fleet.startDaemon();
});
afterEach(() => {
  fleet.s3Wire.fault = () => undefined;
  fleet.sts.sessionSeconds = (asked) => asked;
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

/** Asked for is an hour. */
const SHORT_SESSION_SECONDS = 4;
const STEPS = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] as const;

/** The first `times` requests for that operation meet the fault; gives how many did. */
function breakS3(operation: OperationName, fault: S3Fault, times: number): () => number {
  let met = 0;
  fleet.s3Wire.fault = (request) => {
    if (request.operation !== operation || met >= times) return undefined;
    met += 1;
    return fault;
  };
  return () => met;
}

const FOR_GOOD: readonly (ExpectedError & { readonly says: string; readonly fault: S3Fault })[] = [
  {
    says: "403",
    fault: { status: 403, code: "AccessDenied" },
    code: "storage_denied",
    hint: "Check the storage provider's keys, the bucket policy",
  },
  {
    says: "500",
    fault: { status: 500, code: "InternalError" },
    code: "storage_failed",
    hint: "check the storage provider's status",
  },
  { says: "a cut connection", fault: "reset", code: "storage_unreachable", hint: "Check the node's network" },
];

describe.each(STEPS)("S3 at %s", (step) => {
  it.each(FOR_GOOD)("answers with $says for good: a clean failure", async ({ fault, ...expected }) => {
    const met = breakS3(step, fault, Number.POSITIVE_INFINITY);
    await expectCleanFailure(fleet, { ...expected, message: "shop.example.com_" });
    // A refusal is final; everything else deserved another try before giving up.
    if (expected.code === "storage_denied") expect(met()).toBe(1);
    else expect(met()).toBeGreaterThan(1);
  });

  it.each<[string, S3Fault]>([
    ["a 500", { status: 500, code: "InternalError" }],
    ["a cut connection", "reset"],
  ])("answers once with %s: a backup all the same", async (_says, fault) => {
    const met = breakS3(step, fault, 1);
    await expectOneBackupMore(fleet);
    expect(met()).toBe(1);
  });
});

describe("an answer of S3 that is lost", () => {
  it.each(["UploadPart", "CompleteMultipartUpload"] as const)("to %s: exactly one backup", async (step) => {
    const met = breakS3(step, "reset-after", 1);
    await expectOneBackupMore(fleet);
    expect(met()).toBe(1);
  });

  it("to every try of CompleteMultipartUpload: exactly one backup", async () => {
    const met = breakS3("CompleteMultipartUpload", "reset-after", Number.POSITIVE_INFINITY);
    await expectOneBackupMore(fleet);
    expect(met()).toBeGreaterThan(0);
  });
});

describe("once S3 is well again", () => {
  it("backs up as if nothing had been", async () => {
    await expectOneBackupMore(fleet);
  });
});

describe("a session that ends in the middle of an upload", () => {
  it("is followed by a new one, and the backup notices nothing", async () => {
    const ends: number[] = [];
    fleet.sts.sessionSeconds = () => {
      ends.push(Date.now() + SHORT_SESSION_SECONDS * 1000);
      return SHORT_SESSION_SECONDS;
    };
    using held = holdS3(fleet, "UploadPart");
    await expectOneBackupMore(fleet, async () => {
      const running = fleet.backupd("run-once", "--site", fleet.siteId, "--full");
      await held.reached();
      const before = ends.length;
      expect(before).toBeGreaterThan(0);
      fleet.sts.sessionSeconds = (asked) => {
        ends.push(Date.now() + asked * 1000);
        return asked;
      };
      await until("the sessions to end", () => Date.now() > (ends[before - 1] ?? Infinity));
      held.release();
      const { code, stderr } = await running;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(ends.length).toBeGreaterThan(before);
      return await lastJob(fleet);
    });
  });
});
