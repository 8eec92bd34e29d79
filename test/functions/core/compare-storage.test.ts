// Records against objects, and two ordered sequences as one.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareSite, isFaulty, markDifference, withStorageFault } from "#functions/core/compare-storage.ts";
import { mergePrefixes, pastPrefix } from "#functions/core/merge-prefixes.ts";
import type { BackupRecord, SiteRecord } from "#functions/core/records.ts";
import type { StoredObject } from "#functions/core/stored-object.ts";

const NOW = new Date("2030-01-01T00:00:00.000Z");
const backupOf = (key: string, more: Partial<BackupRecord> = {}): BackupRecord =>
  ({ id: key, s3_path: `/${key}`, size_bytes: 7, archive: { etag: '"e"' }, ...more }) as BackupRecord;
const objectOf = (key: string, more: Partial<StoredObject> = {}): StoredObject => ({
  key,
  size_bytes: 7,
  etag: "e",
  modified_at: NOW.toISOString(),
  ...more,
});
const kinds = (backups: BackupRecord[], objects: StoredObject[]) =>
  compareSite(backups, objects).map((one) => [one.kind, "backup" in one ? one.backup.id : one.object.key]);

describe("a site's records and objects", () => {
  test("are the same, with and without quotation marks", () => {
    expect(kinds([backupOf("a")], [objectOf("a"), objectOf("b")])).toEqual([["unrecorded", "b"]]);
    expect(
      kinds([backupOf("a", { archive: { etag: "" } as BackupRecord["archive"] })], [objectOf("a")]),
    ).toEqual([]);
  });

  test("differ in being there, in size and in ETag", () => {
    const backups = ["a", "b", "c"].map((key) => backupOf(key));
    expect(kinds(backups, [objectOf("b", { size_bytes: 8 }), objectOf("c", { etag: "f" })])).toEqual([
      ["missing", "a"],
      ["changed", "b"],
      ["changed", "c"],
    ]);
  });

  test("a fault is noted once, is no verification's, and goes when the object is back", () => {
    const [missing] = compareSite([backupOf("a")], []);
    if (missing === undefined || !("backup" in missing)) throw new Error("nothing is missing");
    const mark = markDifference(missing, NOW);
    const noted = backupOf("a", mark?.set);
    expect(isFaulty(noted)).toBe(true);
    const [again] = compareSite([noted], []);
    expect(again && "backup" in again && markDifference(again, NOW)).toBeUndefined();
    expect(kinds([noted], [objectOf("a")])).toEqual([["returned", "a"]]);

    const verified = { ...mark?.set.verification_failed, job_id: randomUUID() };
    const damaged = backupOf("a", {
      verification_failed: verified as BackupRecord["verification_failed"] & object,
    });
    expect(markDifference({ ...missing, backup: damaged }, NOW)).toBeUndefined();
    expect(kinds([damaged], [objectOf("a")])).toEqual([]);
  });

  test("the site counts its faulty backups, and keeps the day of the first", () => {
    const site = { id: "s" } as SiteRecord;
    const one = withStorageFault(site, [backupOf("a")], NOW);
    expect(one.storage_fault).toEqual({ at: NOW.toISOString(), count: 1, backup_ids: ["a"] });
    expect(withStorageFault(one, [backupOf("a")], new Date())).toBe(one);
    const two = withStorageFault(one, [backupOf("a"), backupOf("b")], new Date());
    expect(two.storage_fault).toMatchObject({ at: NOW.toISOString(), count: 2 });
    expect(withStorageFault(two, [], NOW)).toEqual(site);
    expect(withStorageFault(site, [], NOW)).toBe(site);
  });
});

test("every site and every object comes once, in order, wherever the walk goes on", async () => {
  const name = fc.constantFrom("a.tar.zst", "b.tar.zst", "x/y", "");
  const place = fc.record({
    prefix: fc.integer({ min: 0, max: 9 }),
    name,
    stored: fc.boolean(),
    known: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(place, { maxLength: 20 }), fc.nat(10), async (places, cut) => {
      const prefixes = Array.from({ length: 10 }, (_, at) => {
        const uuid = `${at}0000000-0000-4000-8000-000000000000`;
        return `${uuid}/${uuid}/`;
      });
      const prefixAt = (at: number): string => prefixes[at] ?? "";
      const keys = [
        ...new Set(
          places.filter(({ stored }) => stored).map(({ prefix, name: own }) => `${prefixAt(prefix)}${own}`),
        ),
        ...["_backupd/x", "zzz"],
      ].sort();
      const sites = [
        ...new Set(places.filter(({ known }) => known).map(({ prefix }) => prefixAt(prefix))),
      ].sort();
      const walk = async (after: string) => {
        const list = async function* () {
          for (const key of keys) if (key > after) yield objectOf(key);
        };
        const seen = [];
        const known = sites.filter((prefix) => prefix > after).map((prefix) => ({ prefix }));
        for await (const one of mergePrefixes(known, list())) seen.push(one);
        return seen;
      };
      const all = await walk("");
      expect(all.flatMap(({ objects }) => objects.map(({ key }) => key))).toEqual(keys);
      expect(all.flatMap(({ site }) => site?.prefix ?? [])).toEqual(sites);
      const ordered = all.flatMap(({ prefix }) => prefix ?? []);
      expect(ordered).toEqual([...ordered].sort());
      expect(new Set(ordered).size).toBe(ordered.length);
      // Stopped behind any site, the rest is what comes behind it.
      if (ordered[cut] === undefined) return;
      const at = all.findIndex(({ prefix }) => prefix === ordered[cut]);
      const rest = await walk(pastPrefix(all[at]?.prefix ?? ""));
      expect(rest.filter(({ prefix }) => prefix !== undefined)).toEqual(
        all.slice(at + 1).filter(({ prefix }) => prefix !== undefined),
      );
    }),
  );
});
