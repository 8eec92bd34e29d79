// What a node may see of backups: its own, newest first over all its sites, each with a URL that reads it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { finishBackup } from "#test/helpers/finished-backup.ts";
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

test("operators have other calls for it", async () => {
  await expect(master.admin.call("listNodeBackups")).rejects.toMatchObject({ code: "role_too_low" });
});
