// What a node may see of backups: its own, newest first over all its sites, each with a URL that reads it.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import type { VerificationReport } from "#shared/contracts/restores.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { verified } from "#test/helpers/job-reports.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

let now = new Date("2030-01-01T03:00:00.000Z");
let master: Master;
let node: TestNode;
let stranger: TestNode;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  [node, stranger] = [await master.enrolNode("web1"), await master.enrolNode("web2")];
});
afterAll(() => master.close());

test("a node lists its own backups, newest first, by site and page by page", async () => {
  const [one, two] = [await master.createSite(node.id, "one"), await master.createSite(node.id, "two")];
  const foreign = await master.createSite(stranger.id, "foreign");
  const made: string[] = [];
  for (const site of [one, two, one]) {
    now = new Date(now.getTime() + 60_000);
    made.unshift((await finishBackup(master, node, site.id)).id);
  }
  const theirs = await finishBackup(master, stranger, foreign.id);

  const ids = async (query: Record<string, string | number>): Promise<(string | null)[]> => {
    const page = await node.client.call("listNodeBackups", { query });
    return [...page.items.map(({ id }) => id), page.next_cursor === null ? null : "more"];
  };
  expect(await ids({})).toEqual([...made, null]);
  expect(await ids({ site_id: one.id })).toEqual([made[0], made[2], null]);
  expect(await ids({ site_id: foreign.id })).toEqual([null]);
  expect(await ids({ limit: 2 })).toEqual([made[0], made[1], "more"]);
  const { next_cursor: cursor } = await node.client.call("listNodeBackups", { query: { limit: 2 } });
  expect(await ids({ limit: 2, cursor: String(cursor) })).toEqual([made[2], null]);

  const refused = node.client.call("getNodeBackup", { id: theirs.id });
  await expect(refused).rejects.toMatchObject({ code: "not_your_site" });
});

test("the URL of a node's backup reads the archive, in ranges", async () => {
  const site = await master.createSite(node.id, "ranged");
  const { id, s3Path } = await finishBackup(master, node, site.id, { body: "0123456789" });
  const source = await node.client.call("getNodeBackup", { id });
  expect(source).toMatchObject({ backup_id: id, site_id: site.id, s3_path: s3Path, size_bytes: 10 });
  const response = await fetch(source.url, { headers: { range: "bytes=2-4" } });
  expect([response.status, await response.text()]).toEqual([206, "234"]);
  expect(response.headers.get("etag")).toBe(source.etag);
});

test("what a node found by hand is on the backup's record, and nobody else can say it", async () => {
  const site = await master.createSite(node.id, "verified");
  const { id } = await finishBackup(master, node, site.id);
  const tell = (by: TestNode, body: z.input<typeof VerificationReport>) =>
    by.client.call("reportVerification", { id, body });
  const good = { status: "good", verify: verified(true) } as const;
  await expect(tell(stranger, good)).rejects.toMatchObject({ code: "not_your_site" });

  const findings = [{ code: "dump_differs", message: "the rows of wp_posts" }];
  const bad = await tell(node, { status: "failed", deep: true, findings });
  expect(bad.verification_failed).toMatchObject({
    deep: true,
    job_id: null,
    error: { code: "proof_failed" },
    findings,
  });
  const { items } = await master.admin.call("listActivity");
  const said = items.find(({ action }) => action === "backup.verification_failed");
  expect(said).toMatchObject({ target: { kind: "backup", id }, actor: { kind: "node", id: node.id } });

  now = new Date(now.getTime() + 60_000);
  await tell(node, { status: "good", verify: verified(false) });
  expect((await master.admin.call("getBackup", { id })).verification_failed).not.toBeNull();
  await tell(node, good);
  const record = await master.admin.call("getBackup", { id });
  expect(record).toMatchObject({
    verification_failed: null,
    proved_at: now.toISOString(),
    proof: { rows: 42 },
  });
  expect((await master.admin.call("getSite", { id: site.id })).last_proved_at).toBe(now.toISOString());
});

test("operators have other calls for it", async () => {
  await expect(master.admin.call("listNodeBackups")).rejects.toMatchObject({ code: "role_too_low" });
});
