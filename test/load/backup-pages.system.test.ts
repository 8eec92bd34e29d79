// Lists of 10,000 backups, of the fleet and of one site: whole, page by page, and what a page costs is bounded. Counted in
// calls of DynamoDB and in items that they may read, not in seconds.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SiteRecord } from "#functions/core/records.ts";
import type { AwsCall } from "#functions/stores/aws-client.ts";
import { openRecords } from "#functions/stores/records.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { hostConfig } from "#test/helpers/stores.ts";
import { writeBackups, writeNodes } from "./a-fleet.ts";

const BACKUPS = 10_000;
const OTHERS = 30;
const PAGE = 200;

let master: Master;
let site: SiteRecord;
let ids: string[];
let otherIds: string[];
/** DynamoDB's, by the functions that answer such a request. */
let calls: AwsCall[] = [];

beforeAll(async () => {
  master = await startMaster({
    onCall: ({ functionName }, call) => {
      const isAnswering = functionName === "backups" || functionName === "authorizer";
      if (isAnswering && call.client.startsWith("DynamoDB")) calls.push(call);
    },
  });
  const records = openRecords(hostConfig());
  const [node, other] = await writeNodes(master, records, 2);
  if (node === undefined || other === undefined) throw new Error("no nodes");
  ({ site } = node);
  ids = await writeBackups(records, site, BACKUPS);
  otherIds = await writeBackups(records, other.site, OTHERS);
});
afterAll(() => master?.close());

interface Listed {
  readonly ids: string[];
  readonly pages: AwsCall[][];
}

/** From the newest to the oldest. */
async function listAll(query: Record<string, string>): Promise<Listed> {
  const listed: Listed = { ids: [], pages: [] };
  let cursor: string | null | undefined;
  let before: string | undefined;
  while (cursor !== null) {
    calls = [];
    const from = cursor === undefined ? {} : { cursor };
    const page = await master.admin.call("listBackups", { query: { ...query, ...from, limit: PAGE } });
    for (const { id, created_at: at } of page.items) {
      expect(before === undefined || at <= before).toBe(true);
      before = at;
      listed.ids.push(id);
    }
    listed.pages.push(calls);
    cursor = page.next_cursor;
  }
  return listed;
}

function expectWhole({ ids: found, pages }: Listed, expected: readonly string[]): void {
  expect(found).toHaveLength(expected.length);
  expect(new Set(found)).toEqual(new Set(expected));
  // The last one may be empty, as DynamoDB says only then that nothing follows.
  expect(pages.length).toBeLessThanOrEqual(Math.ceil(expected.length / PAGE) + 1);
}

/** A Query that reads no more items than the page has, and throws none of them away. */
function expectOnePage(call: AwsCall | undefined): void {
  expect(call).toMatchObject({ command: "QueryCommand", input: { Limit: PAGE } });
  expect(call?.input["FilterExpression"]).toBeUndefined();
}

test(`${BACKUPS} backups of the fleet are listed without gaps or doubles, a page by one bounded Query`, async () => {
  const all = await listAll({});
  expectWhole(all, [...ids, ...otherIds]);
  for (const page of all.pages) {
    expect(page).toHaveLength(1);
    expectOnePage(page[0]);
  }
});

test(`${BACKUPS} backups of one site, too, after one look at the site`, async () => {
  const all = await listAll({ site_id: site.id });
  expectWhole(all, ids);
  for (const page of all.pages) {
    expect(page.map(({ command }) => command)).toEqual(["GetItemCommand", "QueryCommand"]);
    expectOnePage(page[1]);
  }
});
