// The lease by a clock that only the test moves: what renews it, what ends it, and when.
import { describe, expect, test } from "vitest";
import type { MasterClient } from "#runner/io/master-client.ts";
import { type HeldLease, holdLease } from "#runner/lease.ts";
import { newCounters, sampleProgress } from "#runner/plan/progress.ts";
import type { Claim, PatchedJob } from "#shared/contracts/jobs.ts";
import { BackupError } from "#shared/errors.ts";
import { type ManualClock, manualClock } from "#test/fakes/manual-clock.ts";
import { recordedLog } from "./harness.ts";

const LEASE_SECONDS = 100;
const BEAT_SECONDS = 10;

interface Setup {
  readonly lease: HeldLease;
  readonly clock: ManualClock;
  readonly patches: unknown[];
  readonly extensions: number[];
}

const RUNNING: PatchedJob = { state: "running", cancel_requested: false, lease_expires_at: null };

function setUp(answer: (count: number, signal: AbortSignal) => PatchedJob | Promise<PatchedJob>): Setup {
  const clock = manualClock();
  const patches: unknown[] = [];
  const extensions: number[] = [];
  const master = {
    clockSkewMs: () => undefined,
    async call(_operation: string, request: { body: unknown; signal: AbortSignal }) {
      patches.push(request.body);
      return answer(patches.length, request.signal);
    },
  } as unknown as MasterClient;
  const claim = { job: { id: "j" }, fencing: 7, lease_seconds: LEASE_SECONDS } as Claim;
  const lease = holdLease({
    claim,
    claimedAtMs: clock.monotonicMs(),
    master,
    getProgress: () => sampleProgress(newCounters(), 0, undefined).progress,
    extendMessage: async (seconds) => {
      extensions.push(seconds);
    },
    beatSeconds: BEAT_SECONDS,
    clock,
    log: recordedLog().log,
  });
  return { lease, clock, patches, extensions };
}

const down = (): never => {
  throw new BackupError("master_unreachable");
};

describe("a lease", () => {
  test("is renewed at every beat with the fencing number, and its message hidden for some beats more", async () => {
    const { lease, clock, patches, extensions } = setUp(() => RUNNING);
    await clock.advance(5 * BEAT_SECONDS * 1000);
    expect(patches).toHaveLength(5);
    expect(patches[0]).toMatchObject({ fencing: 7, progress: { stage: "preflight" } });
    expect(extensions).toHaveLength(5);
    expect(Math.min(...extensions)).toBeGreaterThan(2 * BEAT_SECONDS);
    await clock.advance(10 * LEASE_SECONDS * 1000);
    expect(lease.signal.aborted).toBe(false);
    await lease[Symbol.asyncDispose]();
    expect(clock.sleepers).toBe(0);
  });

  test.each(["lease_lost", "job_ended", "not_found"] as const)("ends at once when told %s", async (code) => {
    const { lease, clock } = setUp((count) => {
      if (count === 2) throw new BackupError(code);
      return RUNNING;
    });
    await clock.advance(BEAT_SECONDS * 1000);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(BEAT_SECONDS * 1000);
    expect(lease.signal.reason).toMatchObject({ code });
    await lease[Symbol.asyncDispose]();
  });

  test("ends as cancelled when the Master asks for it", async () => {
    const { lease, clock } = setUp(() => ({ ...RUNNING, cancel_requested: true }));
    await clock.advance(BEAT_SECONDS * 1000);
    expect(lease.signal.reason).toMatchObject({ code: "cancelled" });
    await lease[Symbol.asyncDispose]();
  });

  test("outlives a Master that is away for less than its time, and counts on from the next answer", async () => {
    const { lease, clock } = setUp((count) => (count <= 7 ? down() : RUNNING));
    await clock.advance(89_000);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(LEASE_SECONDS * 1000);
    expect(lease.signal.aborted).toBe(false);
    await lease[Symbol.asyncDispose]();
  });

  test("is over before the Master thinks so when no answer comes", async () => {
    const { lease, clock } = setUp(down);
    await clock.advance(0.8 * LEASE_SECONDS * 1000);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(0.2 * LEASE_SECONDS * 1000 - 1);
    expect(lease.signal.reason).toMatchObject({ code: "lease_lost" });
    await lease[Symbol.asyncDispose]();
  });

  test("is over on time also when a renewal hangs", async () => {
    const { lease, clock } = setUp(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    );
    await clock.advance(LEASE_SECONDS * 1000 - 1);
    expect(lease.signal.reason).toMatchObject({ code: "lease_lost" });
    await lease[Symbol.asyncDispose]();
  });

  test("a late answer counts from when its request was sent", async () => {
    const late = Promise.withResolvers<PatchedJob>();
    const { lease, clock } = setUp((count) => (count === 1 ? late.promise : down()));
    await clock.advance(80_000);
    late.resolve(RUNNING);
    // Sent at 10 s, so good until 100 s (less the margin of a tenth), not until 170 s.
    await clock.advance(9_999);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(10_001);
    expect(lease.signal.reason).toMatchObject({ code: "lease_lost" });
    await lease[Symbol.asyncDispose]();
  });
});

describe("renew()", () => {
  test("resolves once the Master has said yes, through its silences", async () => {
    const { lease, clock, patches } = setUp((count) => (count <= 3 ? down() : RUNNING));
    let isDone = false;
    const renewed = lease.renew().then(() => {
      isDone = true;
    });
    await clock.untilAsleep(3);
    await clock.advance(2_000);
    expect(isDone).toBe(false);
    await clock.advance(5_000);
    await renewed;
    expect(patches).toHaveLength(4);
    await lease[Symbol.asyncDispose]();
  });

  test("throws what ended the lease", async () => {
    const { lease, clock } = setUp(() => {
      throw new BackupError("lease_lost");
    });
    await expect(lease.renew()).rejects.toMatchObject({ code: "lease_lost" });
    await expect(lease.renew()).rejects.toMatchObject({ code: "lease_lost" });
    expect(clock.sleepers).toBe(0);
    await lease[Symbol.asyncDispose]();
  });

  test("throws when the lease's time is over before an answer", async () => {
    const { lease, clock } = setUp(down);
    const renewed = expect(lease.renew()).rejects.toMatchObject({ code: "lease_lost" });
    await clock.advance(LEASE_SECONDS * 1000);
    await renewed;
    await lease[Symbol.asyncDispose]();
  });
});
