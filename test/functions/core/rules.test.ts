// The small pure rules of the Master, each against a table of cases.
import { describe, expect, test } from "vitest";
import { parseConfig } from "#functions/config.ts";
import { bearerToken } from "#functions/core/authenticate.ts";
import { openCursor, sealCursor } from "#functions/core/cursor.ts";
import { openapi } from "#functions/core/openapi.ts";
import { queueArn } from "#functions/core/queue-names.ts";
import { checkQuota } from "#functions/core/quota.ts";
import { scheduleInput } from "#functions/core/schedule-input.ts";
import { identifyToken, isSameHash, makeToken } from "#functions/core/secret-token.ts";
import { masterPolicy, sessionPolicy } from "#functions/core/session-policy.ts";
import { Id } from "#shared/contracts/common.ts";
import { JobMessage } from "#shared/contracts/jobs.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { OPERATIONS } from "#shared/operations.ts";
import { NODE_ID, SITE_ID } from "./job-records.ts";

describe("quota", () => {
  const GIB = 1024 ** 3;
  const backup = (size_bytes: number, created_at: string, site_id = SITE_ID) => ({
    site_id,
    size_bytes,
    created_at,
  });
  const check = (backups: ReturnType<typeof backup>[], site?: number, node?: number) =>
    checkQuota({ siteId: SITE_ID, siteQuotaBytes: site, nodeQuotaBytes: node, backups });

  test("without a quota everything fits", () => {
    expect(check([backup(GIB, "2")])).toMatchObject({
      can_proceed: true,
      quota_bytes: null,
      node_quota_bytes: null,
    });
  });
  test("the newest backup is the estimate, in whatever order they come", () => {
    expect(check([backup(3, "3"), backup(9, "1"), backup(5, "2")])).toMatchObject({
      estimated_bytes: 3,
      used_bytes: 17,
      projected_bytes: 20,
    });
  });
  test("exactly full is allowed, one byte more is not", () => {
    expect(check([backup(5, "1")], 10).can_proceed).toBe(true);
    expect(check([backup(5, "1")], 9)).toMatchObject({ can_proceed: false, would_exceed_site_quota: true });
  });
  test("a first backup needs room, but none is known", () => {
    expect(check([], 1).can_proceed).toBe(true);
    expect(check([], 0).can_proceed).toBe(false);
  });
  test("other sites count for the node only", () => {
    expect(check([backup(GIB, "1", NODE_ID)], GIB, GIB)).toMatchObject({
      used_bytes: 0,
      node_used_bytes: GIB,
      would_exceed_site_quota: false,
      would_exceed_node_quota: true,
      reason: "The node's backups use 1.1 GB of 1.1 GB; the first backup would not fit.",
    });
  });
});

describe("job ids", () => {
  test("follow from site and instant, however the instant is spelt", () => {
    const id = jobIdFor(SITE_ID, "2030-01-01T03:00:00Z");
    expect(Id.parse(id)).toBe(id);
    expect(jobIdFor(SITE_ID, "2030-01-01T03:00:00.000Z")).toBe(id);
    expect(jobIdFor(SITE_ID, "2030-01-01T03:00:01Z")).not.toBe(id);
    expect(jobIdFor(NODE_ID, "2030-01-01T03:00:00Z")).not.toBe(id);
  });
});

describe("tokens", () => {
  test("give an id and a hash, and are not in them", () => {
    const token = makeToken("bkp_", new Uint8Array(32).fill(7));
    expect(token).toMatch(/^bkp_[A-Za-z0-9_-]{43}$/);
    const { id, hash } = identifyToken(token);
    expect(Id.parse(id)).toBe(id);
    expect(isSameHash(hash, identifyToken(token).hash)).toBe(true);
    expect(isSameHash(hash, identifyToken(`${token}x`).hash)).toBe(false);
    expect(isSameHash("", "")).toBe(false);
  });
  test.each([
    ["Bearer abc", "abc"],
    ["bearer  abc", "abc"],
    ["Basic abc", undefined],
    ["Bearer", undefined],
    ["Bearer a b", undefined],
    ["Bearer a,Bearer b", undefined],
    [undefined, undefined],
  ])("%j holds %j", (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

describe("cursors", () => {
  test("open for their own list only, and only unchanged", () => {
    const cursor = sealCursor("jobs", "raw");
    expect(openCursor("jobs", cursor)).toBe("raw");
    expect(() => openCursor("jobs/x", cursor)).toThrow("cursor is not a cursor of this list");
    for (let at = 0; at < cursor.length; at += 1) {
      const changed = cursor.slice(0, at) + (cursor[at] === "A" ? "B" : "A") + cursor.slice(at + 1);
      expect(() => openCursor("jobs", changed)).toThrow();
    }
  });
});

describe("what leaves for AWS", () => {
  const settings = { stage: "prod", deadLetterQueueArn: "arn:aws:sqs:eu-central-1:123456789012:dead" };

  test("a node's session policy has no wildcard but below its own prefix, and no delete or list of objects", () => {
    const text = sessionPolicy({
      nodeId: NODE_ID,
      roleArn: "arn:aws:iam::123456789012:role/node",
      bucket: "bucket",
      queueArn: queueArn(settings, NODE_ID),
    });
    expect(text.length).toBeLessThan(2048);
    const { Statement: statements } = JSON.parse(text) as {
      Statement: { Effect: string; Action: string[]; Resource: string }[];
    };
    expect(statements.map(({ Resource }) => Resource)).toEqual([
      `arn:aws:sqs:eu-central-1:123456789012:backupd-prod-node-${NODE_ID}`,
      `arn:aws:s3:::bucket/${NODE_ID}/*`,
    ]);
    // Other partitions (China, GovCloud) have ARNs of their own.
    const elsewhere = {
      nodeId: NODE_ID,
      roleArn: "arn:aws-cn:iam::123456789012:role/node",
      bucket: "bucket",
    };
    expect(sessionPolicy(elsewhere)).toContain(`"arn:aws-cn:s3:::bucket/${NODE_ID}/*"`);
    expect(sessionPolicy(elsewhere)).not.toContain("sqs:");
    expect(masterPolicy(elsewhere)).toContain('"arn:aws-cn:s3:::bucket/*"');
    const actions = statements.flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.includes("*"))).toEqual([]);
    expect(actions.filter((action) => /^s3:(Delete|ListBucket|PutBucket|PutObjectAcl)/.test(action))).toEqual(
      [],
    );
  });

  test("Scheduler's input becomes a job message once its words are replaced", () => {
    const body = scheduleInput(SITE_ID, "backup")
      .replace("<aws.scheduler.scheduled-time>", "2030-01-01T03:00:00Z")
      .replace("<aws.scheduler.execution-id>", "d32c5kddcf5bb8c3");
    expect(JobMessage.parse(JSON.parse(body))).toMatchObject({ trigger: "schedule", site_id: SITE_ID });
  });
});

describe("configuration", () => {
  test("all faults are named at once, and no value is shown", () => {
    const read = (): unknown => parseConfig({ STAGE: "Not A Stage", BOOTSTRAP_TOKEN_SHA256: "secret" });
    for (const part of ["STAGE", "TABLE_NAME", "BUCKET_NAME", "BOOTSTRAP_TOKEN_SHA256"])
      expect(read).toThrow(part);
    expect(read).not.toThrow("secret");
  });
});

describe("openapi.json", () => {
  const document = openapi("1.2.3") as {
    openapi: string;
    paths: Record<
      string,
      Record<string, { operationId: string; parameters: { in: string; name: string }[] }>
    >;
  };

  test("describes every operation once, with all the variables of its path", () => {
    expect(document.openapi).toBe("3.1.0");
    const found = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => {
        const variables = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const described = operation.parameters.filter((one) => one.in === "path").map((one) => one.name);
        expect(described).toEqual(variables);
        return operation.operationId;
      }),
    );
    expect(found.sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  test("has no dangling reference", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) =>
      String(to),
    );
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      const target = reference
        .replace(/^#\//, "")
        .split("/")
        .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document);
      expect(target).toBeTypeOf("object");
    }
  });
});
