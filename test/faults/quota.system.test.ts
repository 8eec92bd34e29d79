// A site or a node over its quota: the job is skipped with the reason in sight before anything was dumped or sent,
// by the daemon as by hand, and goes ahead again as soon as the quota allows it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "#shared/contracts/jobs.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { backUp, ended, expectNoNewTraces, expectOneBackupMore, lastJob, tracesOf } from "./clean-end.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  await fleet.startDaemon();
  // The server itself witnesses what is asked of it.
  await fleet.demo.mariadb.exec("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON");
});
afterEach(async () => {
  await setQuotas({ site: null, node: null });
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

async function setQuotas(bytes: { site?: number | null; node?: number | null }): Promise<void> {
  const { operator, siteId, nodeId } = fleet;
  if (bytes.site !== undefined)
    await operator.call("putSiteQuota", { id: siteId, body: { quota_bytes: bytes.site } });
  if (bytes.node !== undefined)
    await operator.call("putNodeQuota", { id: nodeId, body: { quota_bytes: bytes.node } });
}

/** What `run` made the database read out, table by table. */
async function tablesDumpedDuring(run: () => Promise<unknown>): Promise<number> {
  const { mariadb } = fleet.demo;
  await mariadb.exec("TRUNCATE mysql.general_log");
  await run();
  const dumped =
    "SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE 'SELECT /*!40001 SQL_NO_CACHE */%'";
  return Number(await mariadb.exec(dumped));
}

/** `run` must end as a skipped job, with nothing dumped, sent or left behind. */
async function expectSkipped(reason: RegExp, run: () => Promise<Job>): Promise<void> {
  const before = await tracesOf(fleet);
  let job: Job | undefined;
  const tables = await tablesDumpedDuring(async () => {
    job = await ended(fleet, run);
  });
  expect(job).toMatchObject({
    state: "skipped",
    reason: expect.stringMatching(reason),
    error: null,
    backup_id: null,
  });
  expect(tables).toBe(0);
  await expectNoNewTraces(fleet, before);
}

describe("a quota", () => {
  it("that is not set lets a backup through, of which the database's log shows the dump", async () => {
    const tables = await tablesDumpedDuring(() => expectOneBackupMore(fleet));
    expect(tables).toBeGreaterThan(10);
  });

  it("of the site that is used up skips the job", async () => {
    await setQuotas({ site: 1 });
    await expectSkipped(/^The site's backups use .* of 1 B; a backup of about .* would not fit\.$/, () =>
      backUp(fleet),
    );
  });

  it("of the node that is used up skips the job", async () => {
    await setQuotas({ node: 1 });
    await expectSkipped(/^The node's backups use .* of 1 B;/, () => backUp(fleet));
  });

  it("that the next backup would only just pass skips the job", async () => {
    const { used_bytes, estimated_bytes } = await fleet.operator.call("getSiteQuotaStatus", {
      id: fleet.siteId,
    });
    await setQuotas({ site: used_bytes + estimated_bytes - 1 });
    await expectSkipped(/^The site's backups use/, () => backUp(fleet));
  });

  it("skips a run by hand as well: exit code 3, the reason on the terminal", async () => {
    await setQuotas({ site: 1, node: 1 });
    await expectSkipped(/The site's .* The node's /, async () => {
      const { code, stderr } = await fleet.backupd("run-once", "--site", fleet.siteId);
      expect(code).toBe(3);
      expect(stderr).toContain("The site's backups use");
      return await lastJob(fleet);
    });
  });

  it("that is raised lets the next backup through", async () => {
    await setQuotas({ site: 1 });
    await expectSkipped(/site/, () => backUp(fleet));
    await setQuotas({ site: 10 ** 12, node: 10 ** 12 });
    await expectOneBackupMore(fleet);
  });
});
