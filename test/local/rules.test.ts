// The fixed rules of serverless.yml as the local stack runs them.
import { expect, test } from "vitest";
import { readObjectRules } from "#local/object-rules.ts";
import { readRules } from "#local/rules.ts";
import { readServerlessFile, type ServerlessFile } from "#local/serverless-file.ts";

test("the retention runs every hour", async () => {
  expect(readRules(await readServerlessFile())).toContainEqual({
    functionName: "retentionChore",
    everyMs: 3_600_000,
  });
});

test("new archives go to their queue", async () => {
  expect(readObjectRules(await readServerlessFile())).toEqual([
    { suffixes: [".tar.zst"], queue: "StoredQueue" },
  ]);
});

test("a rate that EventBridge would refuse is refused here", () => {
  const functions = {
    chore: { handler: "x.handler", events: [{ schedule: { rate: "rate(1 fortnight)" } }] },
  };
  expect(() => readRules({ functions } as unknown as ServerlessFile)).toThrow("rate(1 fortnight)");
});
