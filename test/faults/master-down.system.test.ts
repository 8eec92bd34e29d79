// A Master that goes away for a moment at each of its calls: the job that was started still ends with exactly one
// backup. And one that stays away when a backup is done: the report waits on the disk until somebody takes it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { API_BASE, OPERATIONS, type OperationId } from "#shared/operations.ts";
import type { ProxyFault } from "#test/helpers/flaky-proxy.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { backupsOf, ended, expectOneBackupMore, lastJob, tracesOf } from "./clean-end.ts";

const HEARTBEAT_SECONDS = 0.3;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ stack: { env: { HEARTBEAT_SECONDS: String(HEARTBEAT_SECONDS) } } });
});
afterEach(() => {
  fleet.proxy.fault = () => undefined;
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

interface BrokenWire {
  readonly met: () => number;
  /** Calls of that operation that got through. */
  readonly passed: () => number;
}

/** The first `times` calls of the operation meet the fault. */
function breakMaster(operation: OperationId, fault: ProxyFault, times: number): BrokenWire {
  const { method, path } = OPERATIONS[operation];
  const pattern = new RegExp(`^${API_BASE}${path.replace("{id}", "[^/]+")}/?$`);
  let [met, passed] = [0, 0];
  fleet.proxy.fault = (itsMethod, itsPath) => {
    if (itsMethod !== method || !pattern.test(itsPath)) return undefined;
    if (met >= times) {
      passed += 1;
      return undefined;
    }
    met += 1;
    return fault;
  };
  return { met: () => met, passed: () => passed };
}

/** As a proxy says it before a Master whose route is gone; no second try can help. */
const NOT_FOUND: ProxyFault = { status: 404, body: "<html>no such upstream</html>" };

describe("a Master that does not take the report of a run by hand", () => {
  it("gets it from the next daemon: the backup is listed exactly once", async () => {
    breakMaster("reportBackup", NOT_FOUND, Number.POSITIVE_INFINITY);
    const before = await tracesOf(fleet);
    const result = await fleet.backupd("run-once", "--site", fleet.siteId);
    expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining("outbox.waiting") });
    const between = await tracesOf(fleet);
    expect(between.outbox).toEqual([expect.stringMatching(/\.json$/)]);
    expect(between.backups).toEqual(before.backups);
    expect(between.s3.objects).toHaveLength(before.s3.objects.length + 1);
    expect(between).toMatchObject({ spoolFiles: [], journal: [] });
    const { id, state } = await lastJob(fleet);
    expect(state).toBe("running");

    fleet.proxy.fault = () => undefined;
    await fleet.startDaemon();
    const job = await ended(fleet, () => fleet.waitForJob(id));
    expect(job).toMatchObject({ state: "succeeded", error: null });
    expect(await backupsOf(fleet)).toEqual([job.backup_id]);
    expect((await tracesOf(fleet)).s3).toEqual(between.s3);
  });
});

describe("a Master that fails the first call of each kind", () => {
  it("is asked again by a run by hand", async () => {
    const failed = new Set<string>();
    fleet.proxy.fault = (method, path) => {
      const kind = `${method} ${path.replace(/[0-9a-f-]{36}/, "{id}")}`;
      if (path.endsWith("/heartbeat") || failed.has(kind)) return undefined;
      failed.add(kind);
      return "reset";
    };
    await expectOneBackupMore(fleet, async () => {
      expect(await fleet.backupd("run-once", "--site", fleet.siteId)).toMatchObject({ code: 0 });
      return await lastJob(fleet);
    });
    expect(failed).toEqual(
      new Set([
        `GET ${API_BASE}/nodes/config`,
        `POST ${API_BASE}/jobs/{id}/claim`,
        `GET ${API_BASE}/sites/{id}/quota/check`,
        `PATCH ${API_BASE}/jobs/{id}`,
        `POST ${API_BASE}/backups`,
      ]),
    );
  });
});

// After the first case, which starts the daemon.
describe.each<[string, ProxyFault]>([
  ["cuts the connection", "reset"],
  ["answers 500", { status: 500 }],
  ["answers 503", { status: 503 }],
])("a Master that twice %s", (_says, fault) => {
  it.each<OperationId>(["getNodeConfig", "claimJob", "checkSiteQuota", "patchJob", "reportBackup"])(
    "at %s: exactly one backup all the same",
    async (operation) => {
      const wire = breakMaster(operation, fault, 2);
      await expectOneBackupMore(fleet);
      expect(wire.met()).toBe(2);
      expect(wire.passed()).toBeGreaterThan(0);
    },
  );

  it("at heartbeatNode: a backup beside it, and the heart beats on", async () => {
    const wire = breakMaster("heartbeatNode", fault, 2);
    await expectOneBackupMore(fleet);
    await expect.poll(wire.passed, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(wire.met()).toBe(2);
  });
});

describe("a Master whose answer to a report is lost", () => {
  it("is told again: exactly one backup", async () => {
    const { method, path } = OPERATIONS.reportBackup;
    let lost = 0;
    fleet.proxy.fault = (itsMethod, itsPath) => {
      if (itsMethod !== method || !itsPath.startsWith(`${API_BASE}${path}`) || lost > 0) return undefined;
      lost += 1;
      return "reset-after";
    };
    await expectOneBackupMore(fleet);
    expect(lost).toBe(1);
  });
});
