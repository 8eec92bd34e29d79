// What the rules need of any table: compare-and-set that really compares, consistent sums, pages without gaps.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRecords, type Records } from "#functions/stores/records.ts";
import { aSite } from "#test/functions/core/job-records.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { hostConfig } from "#test/helpers/stores.ts";
import { aBackup } from "./a-backup.ts";
import { commitContract } from "./commit-contract.ts";

let master: Master;
let records: Records;
beforeAll(async () => {
  master = await startMaster();
  records = openRecords(hostConfig());
});
afterAll(() => master.close());

describe("commit", () => commitContract(() => records));

describe("backups", () => {
  test("a node's usage is all its backups and no other's, however many", async () => {
    const [nodeId, siteId] = [randomUUID(), randomUUID()];
    const created = (index: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, index)).toISOString();
    for (let index = 0; index < 30; index += 1) {
      const fields = { node_id: nodeId, created_at: created(index), size_bytes: index };
      const backup = aBackup({ ...fields, site_id: index % 2 === 0 ? siteId : randomUUID() });
      await records.commit({ jobs: [], backup });
    }
    await records.commit({ jobs: [], backup: aBackup({ site_id: siteId, size_bytes: 1_000_000 }) });
    const used = await records.backups.usedByNode(nodeId);
    expect(used).toHaveLength(30);
    expect(used.reduce((sum, backup) => sum + backup.size_bytes, 0)).toBe(435);
    const site = aSite({ id: siteId, node_id: nodeId });
    const page = await records.backups.listOfSite({ limit: 4 }, site);
    expect(page.items.map(({ size_bytes: bytes }) => bytes)).toEqual([28, 26, 24, 22]);
    const next = await records.backups.listOfSite({ limit: 4, cursor: String(page.next_cursor) }, site);
    expect(next.items.map(({ size_bytes: bytes }) => bytes)).toEqual([20, 18, 16, 14]);
    await expect(records.backups.list({ limit: 4, cursor: String(page.next_cursor) })).rejects.toThrow(
      "cursor",
    );
  });

  test("the largest report that the API takes fits into a record", async () => {
    const warnings = Array.from({ length: 120 }, () => ({ code: "x".repeat(64), message: "m".repeat(2000) }));
    const backup = aBackup({ warnings });
    expect(await records.commit({ jobs: [], backup })).toBe(true);
    expect((await records.backups.get(backup.id))?.warnings).toHaveLength(120);
  });
});
