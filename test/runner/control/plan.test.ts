// The control side's arithmetic and decisions.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffAtLeastHalfMs, backoffMs } from "#runner/plan/backoff.ts";
import { claimRefusal, describeError, jobEnd } from "#runner/plan/error-class.ts";
import { parseMasterUrl } from "#runner/plan/master-url.ts";
import { parseMessage } from "#runner/plan/message.ts";
import { formatProgress, newCounters, type Sample, sampleProgress } from "#runner/plan/progress.ts";
import { redactText } from "#runner/plan/redact.ts";
import { Progress } from "#shared/contracts/jobs.ts";
import { ERROR_CODES } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import { jobIdFor } from "#shared/job-id.ts";

describe("backoff", () => {
  const anyBackoff = fc.record({
    baseMs: fc.integer({ min: 1, max: 1e4 }),
    capMs: fc.integer({ min: 1, max: 1e6 }),
  });
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test("stays between nothing and its cap, and never shrinks with more tries", () => {
    fc.assert(
      fc.property(anyBackoff, fc.nat(1_000), chance, (backoff, attempt, random) => {
        const waitMs = backoffMs(backoff, attempt, random);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(backoff.capMs);
        expect(backoffMs(backoff, attempt + 1, random)).toBeGreaterThanOrEqual(waitMs);
        expect(backoffAtLeastHalfMs(backoff, attempt, 0)).toBeGreaterThanOrEqual(
          Math.floor(Math.min(backoff.capMs, backoff.baseMs) / 2),
        );
      }),
    );
  });

  test("uses the whole width of the jitter", () => {
    expect(backoffMs({ baseMs: 1000, capMs: 8000 }, 2, 0)).toBe(0);
    expect(backoffMs({ baseMs: 1000, capMs: 8000 }, 2, 0.999)).toBe(3996);
    expect(backoffMs({ baseMs: 1000, capMs: 8000 }, 9, 0.999)).toBe(7992);
  });
});

describe("a message", () => {
  const site_id = randomUUID();
  const scheduled = { v: 1, type: "backup", trigger: "schedule", site_id, execution_id: "x" };

  test("of a schedule names the same job however its time is spelt", () => {
    const spellings = ["2026-03-01T03:00:00Z", "2026-03-01T03:00:00.000Z"];
    const jobs = spellings.map((scheduled_time) =>
      parseMessage(JSON.stringify({ ...scheduled, scheduled_time })),
    );
    for (const parsed of jobs) {
      expect(parsed).toMatchObject({
        ok: true,
        request: { jobId: jobIdFor(site_id, "2026-03-01T03:00:00Z") },
      });
    }
  });

  test("by hand carries its job, and what the call that sent it goes by", () => {
    const job_id = randomUUID();
    const message = { v: 1, type: "backup", trigger: "manual", site_id, job_id };
    const request = { jobId: job_id, siteId: site_id, type: "backup", trigger: "manual" };
    for (const [correlation_id, correlationId] of [
      ["JKJaXmPLvHcESHA=", "JKJaXmPLvHcESHA="],
      [undefined, job_id],
      ['forged\n{"event":"x"}', job_id],
    ]) {
      const parsed = parseMessage(JSON.stringify({ ...message, correlation_id }));
      expect(parsed).toEqual({ ok: true, request: { ...request, correlationId } });
    }
  });

  test("that is anything else is refused with a reason, never thrown at", () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const parsed = parseMessage(body);
        expect(parsed.ok).toBe(false);
        if (!parsed.ok) expect(parsed.reason).not.toBe("");
      }),
    );
    expect(
      parseMessage(JSON.stringify({ ...scheduled, v: 2, scheduled_time: "2026-03-01T03:00:00Z" })).ok,
    ).toBe(false);
  });
});

describe("how a job ends", () => {
  const job = (trigger: "manual" | "schedule", attempt: number): Parameters<typeof jobEnd>[1] =>
    ({ trigger, attempt, max_attempts: 3 }) as Parameters<typeof jobEnd>[1];

  test("is given back only if it can come again and trying again can help", () => {
    const storage = new BackupError("storage_unreachable");
    expect(jobEnd(storage, job("schedule", 1), true)).toBe("released");
    expect(jobEnd(storage, job("schedule", 3), true)).toBe("failed");
    expect(jobEnd(storage, job("manual", 1), true)).toBe("failed");
    expect(jobEnd(storage, job("schedule", 1), false)).toBe("failed");
    expect(jobEnd(new BackupError("db_access_denied"), job("schedule", 1), true)).toBe("failed");
    expect(jobEnd(new BackupError("interrupted"), job("manual", 3), true)).toBe("released");
    expect(jobEnd(new BackupError("interrupted"), job("manual", 1), false)).toBe("cancelled");
    expect(jobEnd(new BackupError("lease_lost"), job("schedule", 1), true)).toBe("lost");
  });

  test("and every code has an answer for a claim that is refused", () => {
    const drops = ERROR_CODES.filter((code) => claimRefusal(new BackupError(code)) === "drop");
    expect(drops.sort()).toEqual(["expired", "job_ended", "not_found", "not_your_site", "site_paused"]);
  });
});

describe("progress", () => {
  const steps = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 60_000 }), bytes: fc.nat(1e9) }), {
    maxLength: 40,
  });

  test("always fits the contract, whatever the counters do", () => {
    fc.assert(
      fc.property(steps, fc.option(fc.nat(1e9)), (moves, total) => {
        const counters = { ...newCounters(), bytesTotal: total };
        let nowMs = 0;
        let last: Sample | undefined;
        for (const { ms, bytes } of moves) {
          nowMs += ms;
          counters.bytesDone = bytes;
          last = sampleProgress(counters, nowMs, last);
          expect(Progress.safeParse(last.progress).error).toBeUndefined();
        }
      }),
    );
  });

  test("finds the speed and the time left of a steady job", () => {
    const counters = { ...newCounters(), bytesTotal: 100e6 };
    let last: Sample | undefined;
    for (let second = 0; second <= 50; second += 1) {
      counters.bytesDone = second * 1e6;
      last = sampleProgress(counters, second * 1000, last);
    }
    expect(last?.progress).toMatchObject({ percent: 50, bytes_per_second: 1e6, eta_seconds: 50 });
  });

  test("fits its line", () => {
    const full = sampleProgress(
      { stage: "archive", bytesDone: 5e9, bytesTotal: 1e10, bytesUploaded: 1 },
      0,
      undefined,
    );
    const line = formatProgress("shop.example.com", full.progress, 200);
    expect(line).toContain("archive  50.0%");
    fc.assert(
      fc.property(fc.nat(120), (columns) => {
        const short = formatProgress("shop.example.com", full.progress, columns);
        expect(short.length).toBeLessThanOrEqual(columns);
        expect(line.startsWith(short)).toBe(true);
      }),
    );
  });
});

describe("the Master's URL", () => {
  test("is taken as people write it", () => {
    for (const text of ["https://m.example.com", "https://m.example.com/", "https://m.example.com/api/v1/"]) {
      expect(parseMasterUrl(text)).toEqual({ ok: true, url: "https://m.example.com" });
    }
    expect(parseMasterUrl("https://m.example.com/prod/api/v1")).toEqual({
      ok: true,
      url: "https://m.example.com/prod",
    });
    expect(parseMasterUrl("http://127.0.0.1:8080")).toEqual({ ok: true, url: "http://127.0.0.1:8080" });
  });

  test("must not carry a token in the clear", () => {
    for (const text of ["http://m.example.com", "ftp://m", "m.example.com", "https://u:p@m.example.com"]) {
      expect(parseMasterUrl(text)).toMatchObject({ ok: false });
    }
  });
});

describe("redaction", () => {
  test.each([
    "AGE-SECRET-KEY-1PLANTEDQQQQ",
    "Authorization: Bearer PLANTED.abc-def",
    "https://b.s3.amazonaws.com/k?X-Amz-Signature=PLANTED&x=1",
    "https://b/k?X-Amz-Security-Token=PLANTED%2F&X-Amz-Credential=PLANTED",
    '{"secretAccessKey":"PLANTED"}',
    '{"session_token": "PLANTED"}',
    "mysql --password=PLANTED",
    "DB_PASSWORD: PLANTED",
    "eyJhbGciOiJFZERTQSJ9.PLANTED.PLANTED",
  ])("blots out %s", (text) => {
    expect(redactText(text)).not.toContain("PLANTED");
  });

  test("leaves codes and hints alone", () => {
    const text =
      '{"error":{"code":"token_expired","hint":"Check DB_USER and DB_PASSWORD in wp-config.php; try them."}}';
    expect(redactText(text)).toBe(text);
  });

  test("an error is described without what hangs on it", () => {
    const sdk = Object.assign(new Error("denied"), { $response: { headers: { authorization: "PLANTED" } } });
    const described = describeError(new BackupError("storage_denied", { cause: sdk }));
    expect(JSON.stringify(described)).not.toContain("PLANTED");
    expect(described).toMatchObject({ code: "storage_denied", retry: "later", causes: ["Error: denied"] });
  });
});
