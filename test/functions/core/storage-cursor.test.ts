// A comparison goes on where it stopped, storage by storage.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCursor, type StoragePlace, storagesFrom, writeCursor } from "#functions/core/storage-cursor.ts";
import { ReconcileStorage } from "#shared/contracts/upkeep.ts";

const prefix = fc.tuple(fc.uuid(), fc.uuid()).map(([node, site]) => `${node}/${site}/`);
const place: fc.Arbitrary<StoragePlace> = fc
  .record({
    providerId: fc.option(fc.uuid(), { nil: undefined }),
    prefix: fc.option(prefix, { nil: undefined }),
  })
  .filter(({ providerId, prefix: done }) => providerId !== undefined || done !== undefined);

test("a cursor is one of the call's, and reads as it was written", () => {
  fc.assert(
    fc.property(place, (at) => {
      expect(readCursor(writeCursor(at))).toEqual(at);
      expect(ReconcileStorage.safeParse({ cursor: writeCursor(at) }).success).toBe(true);
    }),
  );
  for (const cursor of ["", ":", "x", `${randomUUID()}/`, `default:${randomUUID()}/${randomUUID()}/`]) {
    expect([cursor, ReconcileStorage.safeParse({ cursor }).success]).toEqual([cursor, false]);
  }
});

test("the Master's own bucket comes first, then the others by their ids; what is behind the cursor is left", () => {
  const start = (providerId?: string): StoragePlace => ({ providerId, prefix: undefined });
  expect(storagesFrom(["c", "a"], readCursor(undefined))).toEqual([start(), start("a"), start("c")]);
  expect(storagesFrom(["c", "a"], { providerId: undefined, prefix: "n/s/" })).toEqual([
    { providerId: undefined, prefix: "n/s/" },
    start("a"),
    start("c"),
  ]);
  expect(storagesFrom(["c", "a"], { providerId: "c", prefix: "n/s/" })).toEqual([
    { providerId: "c", prefix: "n/s/" },
  ]);
  // Removed meanwhile: nothing of another storage is passed over.
  expect(storagesFrom(["c", "a"], { providerId: "b", prefix: "n/s/" })).toEqual([start("c")]);
});
