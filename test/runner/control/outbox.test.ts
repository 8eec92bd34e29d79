// Reports on disk: sent once the Master takes them, in order, never lost, never retried for ever.
import { randomUUID } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MasterClient } from "#runner/io/master-client.ts";
import { type Outbox, openOutbox, sweepOutbox } from "#runner/io/outbox.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import type { Outcome } from "#runner/outcome.ts";
import type { BackupReport } from "#shared/contracts/backups.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import { type ManualClock, manualClock } from "#test/fakes/manual-clock.ts";
import { recordedLog, tempDir } from "./harness.ts";

const NEVER = new AbortController().signal;
let temp: Awaited<ReturnType<typeof tempDir>>;
let dir: string;
let clock: ManualClock;
/** What the Master says to each report: an error code, or nothing for yes. */
let refusal: (report: BackupReport) => ErrorCode | undefined;
let taken: BackupReport[];
/** The calls that brought them: the operation, and the job in its path. */
let calls: [string, string | undefined][];

const master = {
  clockSkewMs: () => undefined,
  async call(operation: string, request: { params?: { id: string }; body: BackupReport }) {
    const code = refusal(request.body);
    if (code !== undefined) throw new BackupError(code);
    calls.push([operation, request.params?.id]);
    taken.push(request.body);
  },
} as unknown as MasterClient;

beforeEach(async () => {
  temp = await tempDir();
  dir = (await openStateDir(join(temp.path, "state"))).outboxDir;
  clock = manualClock();
  refusal = () => undefined;
  taken = [];
  calls = [];
});
afterEach(() => temp[Symbol.asyncDispose]());

/** As after a restart: nothing is kept in memory. */
const reopened = (): Outbox => openOutbox({ dir, master, clock, log: recordedLog().log });

function report(job_id: string = randomUUID(), fencing = 1): BackupReport {
  const at = clock.now().toISOString();
  const times = { started_at: at, finished_at: at, stages: [], warnings: [], warnings_total: 0 };
  return { job_id, site_id: randomUUID(), fencing, ...times, status: "cancelled" };
}

const ended = (of: BackupReport): Outcome => ({ type: "backup", jobId: of.job_id, report: of });

const files = async (path = dir): Promise<string[]> =>
  (await readdir(path)).filter((name) => name.endsWith(".json"));

describe("an outbox", () => {
  test("keeps a report over a restart until the Master takes it", async () => {
    const one = report();
    refusal = () => "master_unreachable";
    await reopened().put(ended(one));
    expect(await reopened().flush(NEVER)).toEqual({ sent: 0, waiting: 1, rejected: 0 });
    refusal = () => undefined;
    expect(await reopened().flush(NEVER)).toEqual({ sent: 1, waiting: 0, rejected: 0 });
    expect(taken).toEqual([one]);
    expect(await files()).toEqual([]);
  });

  test("sends each job's report to the call of its type, also over a restart", async () => {
    const { job_id: jobId, ...rest } = report();
    const restored: Outcome = { type: "restore", jobId, report: { ...rest, status: "cancelled" } };
    await reopened().put(restored);
    const one = report();
    await reopened().put(ended(one));
    await reopened().flush(NEVER);
    expect(calls).toEqual([
      ["reportJob", jobId],
      ["reportBackup", undefined],
    ]);
    expect(taken).toEqual([restored.report, one]);
  });

  test("reads what a version left that only knew backups", async () => {
    const one = report();
    await reopened().put(ended(one));
    const [name = ""] = await files();
    const { type: _type, job_id: _id, ...old } = JSON.parse(await readFile(join(dir, name), "utf8"));
    await writeFile(join(dir, name), JSON.stringify(old));
    await reopened().flush(NEVER);
    expect([taken, calls]).toEqual([[one], [["reportBackup", undefined]]]);
  });

  test("sends in the order of putting, also with the clock set back and over restarts", async () => {
    const jobs = Array.from({ length: 12 }, () => report());
    for (const one of jobs) {
      await reopened().put(ended(one));
      clock = manualClock(new Date(clock.now().getTime() - 3_600_000).toISOString());
    }
    await reopened().flush(NEVER);
    expect(taken).toEqual(jobs);
  });

  test("asks once, not once per report, while the Master is away", async () => {
    let asked = 0;
    refusal = () => {
      asked += 1;
      return "master_unreachable";
    };
    const outbox = reopened();
    for (let n = 0; n < 5; n += 1) await outbox.put(ended(report()));
    expect(await outbox.flush(NEVER)).toEqual({ sent: 0, waiting: 5, rejected: 0 });
    expect(asked).toBe(1);
    expect(await outbox.length()).toBe(5);
  });

  test.each(["lease_lost", "job_ended", "invalid_request", "not_found"] as const)(
    "puts a report aside, with the reason, that is refused as %s",
    async (code) => {
      const outbox = reopened();
      refusal = ({ fencing }) => (fencing === 1 ? code : undefined);
      await outbox.put(ended(report()));
      const later = report(randomUUID(), 2);
      await outbox.put(ended(later));
      expect(await outbox.flush(NEVER)).toEqual({ sent: 1, waiting: 0, rejected: 1 });
      expect(taken).toEqual([later]);
      const [name = ""] = await files(join(dir, "rejected"));
      expect(await readFile(join(dir, "rejected", `${name}.reason`), "utf8")).toContain("BackupError");
      expect(await outbox.flush(NEVER)).toEqual({ sent: 0, waiting: 0, rejected: 0 });
    },
  );

  test.each([
    "token_expired",
    "token_invalid",
    "unauthenticated",
    "master_refused",
    "node_disabled",
  ] as const)("never gives a report up because of what is wrong with the node (%s)", async (code) => {
    refusal = () => code;
    const outbox = reopened();
    await outbox.put(ended(report()));
    for (let day = 0; day < 10; day += 1) {
      await clock.advance(24 * 3_600_000);
      expect(await outbox.flush(NEVER)).toMatchObject({ waiting: 1, rejected: 0 });
    }
  });

  test("holds a job's later reports back behind an earlier one, but not other jobs'", async () => {
    const [first, second, other] = [
      report("job-a".padEnd(36, "0"), 1),
      report("job-a".padEnd(36, "0"), 2),
      report(),
    ];
    const id = randomUUID();
    Object.assign(first, { job_id: id });
    Object.assign(second, { job_id: id });
    refusal = ({ job_id, fencing }) => (job_id === id && fencing === 1 ? "object_missing" : undefined);
    const outbox = reopened();
    for (const one of [first, second, other]) await outbox.put(ended(one));
    expect(await outbox.flush(NEVER)).toEqual({ sent: 1, waiting: 2, rejected: 0 });
    expect(taken).toEqual([other]);
    await clock.advance(25 * 3_600_000);
    expect(await outbox.flush(NEVER)).toEqual({ sent: 1, waiting: 0, rejected: 1 });
    expect(taken).toEqual([other, second]);
  });

  test("recognises a damaged file and goes on with the others", async () => {
    const outbox = reopened();
    await outbox.put(ended(report()));
    const [name = ""] = await files();
    const whole = await readFile(join(dir, name), "utf8");
    await writeFile(join(dir, name), whole.replace("cancelled", "cancelleD"));
    await writeFile(join(dir, "00000002-torn.json"), whole.slice(0, 40));
    const good = report();
    await outbox.put(ended(good));
    expect(await outbox.flush(NEVER)).toEqual({ sent: 1, waiting: 0, rejected: 2 });
    expect(taken).toEqual([good]);
  });

  test("sweeps what a crash left half-written", async () => {
    await writeFile(join(dir, "00000001-x.json.0.tmp"), "{");
    expect(await sweepOutbox(dir)).toBe(1);
    expect((await readdir(dir)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(await reopened().flush(NEVER)).toEqual({ sent: 0, waiting: 0, rejected: 0 });
  });

  test("sends a report that was put while a flush was under way", async () => {
    const outbox = reopened();
    await outbox.put(ended(report()));
    const flushed = outbox.flush(NEVER);
    await outbox.put(ended(report()));
    await Promise.all([flushed, outbox.flush(NEVER)]);
    expect(taken).toHaveLength(2);
  });
});
