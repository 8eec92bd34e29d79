// Every endpoint under requests made from openapi.json, right and wrong: whatever comes, the answer is the documented one
// or a problem that says what is wrong. Never a 500, never a stack trace.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API_BASE, OPERATIONS, type Operation } from "#shared/operations.ts";
import type { ApiClient, RawAnswer, RawRequest } from "#test/helpers/api-client.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { anythingOdd, fitting, type JsonSchema, type Known, spoilt } from "#test/helpers/schema-arbitrary.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly schema: JsonSchema;
}
interface Described {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}

const RUNS = 40;
const SECONDS_PER_OPERATION = 5;
/** For operations that few requests made at random fit. */
const ROUNDS = 6;

let master: Master;
let node: TestNode;
let described: Map<string, Described>;
beforeAll(async () => {
  master = await startMaster();
  const { paths } = (await master.admin.call("getOpenapi")) as {
    paths: Record<string, Record<string, Described>>;
  };
  described = new Map(
    Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((one) => [one.operationId, one] as const),
    ),
  );
});
afterAll(() => master.close());

/** Things to call about, made anew for each operation, because some operations remove them. */
async function makeThings(): Promise<Things> {
  node = await master.enrolNode(`web-${Math.random()}`);
  const names = ["one.example.com", "two.example.com", "three.example.com"];
  const sites = await Promise.all(names.map((name) => master.createSite(node.id, name)));
  const [first, second, third] = sites.map(({ id }) => id);
  const { object, sha256Index } = await indexedArchive(filesOf({ "database.sql": 1 }));
  const archive = { sha256_index: sha256Index };
  const backup = await finishBackup(master, node, first ?? "", { body: object, archive });
  const damaged = await finishBackup(master, node, third ?? "", { body: "no archive at all" });
  const { job_id: job } = await master.admin.call("startBackup", { id: second ?? "", body: {} });
  const place = { region: "us-east-1", bucket: master.bucket, endpoint: master.s3Server.endpoint };
  const { id: provider } = await master.admin.call("createStorageProvider", {
    body: { kind: "s3", name: "one", ...place, access_key_id: "ID", secret_access_key: "a-secret" },
  });
  // Another one each time: it takes the place of the one before. Nothing listens there.
  const url = `https://127.0.0.1:9/${Math.random()}`;
  const target = await master.admin.call("createAlertTarget", { body: { kind: "heartbeat", url } });
  const things = {
    targets: [target.id],
    sites: sites.map(({ id }) => id),
    nodes: [node.id],
    backups: [backup.id, damaged.id],
    jobs: [job, backup.jobId],
    providers: [provider],
  };
  const values = {
    expression: "cron(0 3 * * ? *)",
    time_zone: "Europe/Berlin",
    node_id: node.id,
    site_id: second,
    job_id: job,
    ...place,
    storage_provider_id: "default",
    url,
    role_arn: "arn:aws:iam::000000000000:role/backupd-storage-x",
  };
  return { ids: Object.values(things).flat(), things, values };
}

interface Things extends Known {
  readonly things: Readonly<Record<string, readonly string[]>>;
}

interface Fuzzed {
  readonly path: string;
  readonly request: RawRequest;
}

function requests(
  operation: Operation,
  { parameters, requestBody }: Described,
  known: Things,
): fc.Arbitrary<Fuzzed> {
  const kind = /\/([\w-]+)\/\{/.exec(operation.path)?.[1] ?? "";
  const own = known.things[kind] ?? known.ids;
  const id = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...own) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 1, arbitrary: fc.string({ minLength: 1, unit: "grapheme", maxLength: 30 }).map(percentEncode) },
  );
  const anyQuery = fc.record(
    Object.fromEntries(
      parameters
        .filter((one) => one.in === "query")
        .map(({ name, schema }) => [
          name,
          fc.oneof({ weight: 3, arbitrary: fitting(schema, known) }, { weight: 1, arbitrary: anythingOdd }),
        ]),
    ),
    { requiredKeys: [] },
  );
  // Also none: of several parameters at once, one is nearly always refused.
  const query = fc.oneof({ weight: 3, arbitrary: anyQuery }, { weight: 1, arbitrary: fc.constant({}) });
  return fc
    .record({ id, query, request: bodies(requestBody?.content["application/json"]?.schema, known) })
    .map(({ id: value, query: given, request }) => ({
      path: `${operation.path.replace(/\{\w+\}/, value)}${queryText(given)}`,
      request,
    }));
}

function bodies(schema: JsonSchema | undefined, known: Known): fc.Arbitrary<RawRequest> {
  if (schema === undefined) return fc.constant({});
  return fc.oneof(
    { weight: 8, arbitrary: fitting(schema, known).map((body) => ({ body })) },
    { weight: 8, arbitrary: spoilt(schema, known).map((body) => ({ body })) },
    { weight: 2, arbitrary: anythingOdd.map((body) => ({ body })) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ rawBody: new Uint8Array(bytes) })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom("text/plain", "application/json; charset=latin1", "multipart/form-data", "")
        .map((type) => ({ rawBody: "{}", headers: { "content-type": type } })),
    },
  );
}

describe.each(Object.entries(OPERATIONS) as [string, Operation][])("%s", (operationId, operation) => {
  test("answers whatever is asked of it", async () => {
    const known = await makeThings();
    const description = described.get(operationId);
    if (description === undefined) throw new Error(`${operationId} is not in openapi.json`);
    const client: ApiClient = operation.access === "node" ? node.client : master.admin;
    let good = 0;
    const property = fc.asyncProperty(requests(operation, description, known), async ({ path, request }) => {
      const answer = await client.request(operation.method, path, request);
      check(operation, answer);
      if (answer.status === operation.status) good += 1;
    });
    const isLuckEnough = !NEEDS_MORE_THAN_LUCK.has(operationId);
    for (let round = 1; round === 1 || (isLuckEnough && good === 0 && round <= ROUNDS); round += 1) {
      await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: SECONDS_PER_OPERATION * 1000 });
    }
    // Otherwise only the validation was tried.
    if (isLuckEnough) expect(good).toBeGreaterThan(0);
  });
});

/** Calls that need what no generator guesses: a token, a lease's number, a lock of a running job, a file's path. */
const NEEDS_MORE_THAN_LUCK = new Set([
  ...["enrollNode", "patchJob", "reportBackup", "reportJob", "deleteEnrollmentToken", "deleteApiToken"],
  ...["deleteNode", "undoRestore", "getBackupFile"],
]);

function check(operation: Operation, { status, text, json, headers }: RawAnswer): void {
  expect(text).not.toMatch(/\n\s+at |node_modules|\.ts:\d|file:\/\//);
  if (status === operation.status) {
    if (operation.answer !== undefined) operation.answer.parse(json);
    return;
  }
  // Not ours: what API Gateway itself refuses, and a path that a strange id turned into another one.
  if (status === 308) return;
  expect([status, json]).toEqual([expect.any(Number), expect.objectContaining({ code: expect.any(String) })]);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(json).toMatchObject({ status, detail: expect.any(String), hint: expect.any(String) });
}

function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(".", "%2E") || "x";
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [
    name,
    (typeof value === "string" ? value : JSON.stringify(value)).toWellFormed(),
  ]);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

test("and so does a path that is none of them", async () => {
  const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map(percentEncode);
  const paths = fc
    .array(segment, { minLength: 1, maxLength: 5 })
    .map((segments) => `${API_BASE}/${segments.join("/")}`);
  const methods = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS");
  await fc.assert(
    fc.asyncProperty(methods, paths, async (method, path) => {
      const { status } = await master.admin.request(method, path);
      expect([404, 405, 308]).toContain(status);
    }),
    { numRuns: 200, interruptAfterTimeLimit: SECONDS_PER_OPERATION * 1000 },
  );
});
