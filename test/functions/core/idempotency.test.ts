// The key of a call and what is sealed with it.
import { randomBytes, randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { identifyCall, keptAnswer, openAnswer, sealAnswer } from "#functions/core/idempotency.ts";

const CALL = { key: randomUUID(), principal: "operator:a", operation: "createSite" };
const NOW = new Date("2030-01-01T00:00:00Z");

test("what is sealed is opened again, by the same call only", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const sealed = sealAnswer(identifyCall(CALL, {}).sealKey, randomBytes(12), text);
      expect(openAnswer(identifyCall(CALL, { other: "input" }).sealKey, sealed)).toBe(text);
      for (const change of [{ key: randomUUID() }, { principal: "node:a" }, { operation: "claimJob" }]) {
        const stranger = identifyCall({ ...CALL, ...change }, {}).sealKey;
        expect(() => openAnswer(stranger, sealed)).toThrow();
      }
    }),
    { numRuns: 20 },
  );
});

test("a sealed answer that was changed does not open", () => {
  const { sealKey } = identifyCall(CALL, {});
  const bytes = Buffer.from(sealAnswer(sealKey, randomBytes(12), "answer"), "base64");
  for (const at of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => openAnswer(sealKey, changed.toString("base64"))).toThrow();
  }
});

test("the id tells nothing of the key, and no two calls share one", () => {
  const ids = [
    CALL,
    { ...CALL, principal: "node:a" },
    { ...CALL, operation: "claimJob" },
    { ...CALL, key: randomUUID() },
  ].map((call) => identifyCall(call, {}).id);
  expect(new Set(ids).size).toBe(4);
  expect(ids.join()).not.toContain(CALL.key);
  expect(identifyCall(CALL, { a: 1 }).id).toBe(ids[0]);
  expect(identifyCall(CALL, { a: 1 }).fingerprint).not.toBe(identifyCall(CALL, {}).fingerprint);
});

test("a record counts until its end, and not after", () => {
  const record = { id: "i", attempt: "a", fingerprint: "f", answer: "sealed" };
  const at = (seconds: number): string => new Date(NOW.getTime() + seconds * 1000).toISOString();
  const kept = (state: "done" | "released", seconds: number): string | undefined =>
    keptAnswer({ ...record, state, expires_at: at(seconds) }, "f", NOW);
  expect([kept("done", 1), kept("done", 0), kept("released", 1)]).toEqual(["sealed", undefined, undefined]);
  expect(keptAnswer(undefined, "f", NOW)).toBeUndefined();
});
