// The table is deleted and built again from the bucket alone, by the command of docs/OPERATIONS.md: every backup is listed
// again and restores with stock tools, and the node, which was told nothing, makes the next one.
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram } from "#local/run-program.ts";
import { PROJECT_ROOT } from "#local/serverless-file.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { emptyTable } from "#test/helpers/empty-table.ts";
import { expectExact, untilTrusted } from "#test/helpers/extracted.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

async function backUp(siteId: string): Promise<void> {
  const { code, stderr } = await fleet.backupd("run-once", "--site", siteId);
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
}

const listed = async () => (await fleet.operator.call("listBackups")).items;

/** By path: an archive's name, all that is left of its time, knows seconds, and two backups may be made in one. */
const factsOf = (backups: readonly Backup[]) =>
  backups
    .map(({ s3_path, size_bytes, archive }) => `${s3_path} ${size_bytes} ${archive.sha256_index}`)
    .sort();

test("a lost table comes back from the bucket, and the next backup copies from the last", async () => {
  const { operator, stack, dir, demo, nodeId, siteId } = fleet;
  const other = join(dir, "other-name-of-the-site");
  await symlink(demo.siteDir, other);
  const body = { node_id: nodeId, name: "other.example.com", path: other };
  const { id: otherId } = await operator.call("createSite", { body });
  const schedule = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 0, enabled: true };
  const site = await operator.call("putSiteSchedule", { id: siteId, body: schedule });
  // The newest file of the site; else it would be packed again, with its whole frame, and too little be left to copy.
  await untilTrusted(join(demo.siteDir, "wp-config.php"));
  for (const id of [otherId, siteId]) await backUp(id);
  const before = factsOf(await listed());
  expect(before).toHaveLength(2);
  await stack.invoke("inventoryChore", {});

  await emptyTable(process.env);
  expect(await listed()).toEqual([]);
  await runProgram(process.execPath, [join(PROJECT_ROOT, "scripts/rebuild.ts")], { env: stack.env });

  const after = await listed();
  expect(factsOf(after)).toEqual(before);
  expect(await operator.call("getSite", { id: siteId })).toMatchObject({ path: site.path, schedule });
  const newest = after[0];
  if (newest === undefined) throw new Error("no backup came back");
  await expectExact(fleet, newest);

  await backUp(siteId);
  const [next] = await listed();
  expect(next).toMatchObject({ origin: "report", site_id: siteId, archive: { mode: "incremental" } });
  expect(next?.archive.bytes_copied).toBeGreaterThan(0);
});
