// When the issuer is asked for its keys: often enough for a new key, never as often as somebody likes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type KeyCache, NO_KEYS, shouldAsk, usableKeys } from "#functions/core/key-cache.ts";

const SECOND = 1_000;
const keys = { keys: [{ kty: "EC", kid: "known" }] };
const got = (gotMs: number, askedMs = gotMs): KeyCache => ({ keys, gotMs, askedMs });

test("asked at first, for an unknown key, and every ten minutes", () => {
  expect(shouldAsk(NO_KEYS, "known", 0)).toBe(true);
  expect(shouldAsk(got(0), "known", 599 * SECOND)).toBe(false);
  expect(shouldAsk(got(0), undefined, 599 * SECOND)).toBe(false);
  expect(shouldAsk(got(0), "known", 600 * SECOND)).toBe(true);
  expect(shouldAsk(got(0), "new", 30 * SECOND)).toBe(true);
});

test("left alone for half a minute, or for five seconds after a failure", () => {
  expect(shouldAsk(got(0), "new", 29 * SECOND)).toBe(false);
  const failed = got(0, 700 * SECOND);
  expect(shouldAsk(failed, "known", 704 * SECOND)).toBe(false);
  expect(shouldAsk(failed, "known", 705 * SECOND)).toBe(true);
});

test("keys are good for a day without the issuer", () => {
  expect(usableKeys(got(0), 86_399 * SECOND)).toBe(keys);
  expect(usableKeys(got(0), 86_400 * SECOND)).toBeUndefined();
});

test("whatever comes, no more than one request in five seconds", () => {
  const events = fc.array(
    fc.record({ waitMs: fc.integer({ min: 0, max: 20_000 }), kid: fc.string(), succeeds: fc.boolean() }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(events, (all) => {
      let cache = NO_KEYS;
      let nowMs = 0;
      let lastMs = -Infinity;
      for (const { waitMs, kid, succeeds } of all) {
        nowMs += waitMs;
        if (!shouldAsk(cache, kid, nowMs)) continue;
        expect(nowMs - lastMs).toBeGreaterThanOrEqual(5_000);
        lastMs = nowMs;
        cache = succeeds ? got(nowMs) : { ...cache, askedMs: nowMs };
      }
    }),
  );
});
