// A real directory backed up step by step by the product's own thread, with copying as eager as it can be: the stock zstd
// and tar make exactly the tree of that moment. The few random histories here are for the thread and what is around it;
// hundreds of them, without it, are in histories.system.test.ts.
import { appendFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeIndex } from "#runner/io/decode-index.ts";
import { FLAG_CHANGED_WHILE_READ, FLAG_RACY } from "#shared/format/index-entry.ts";
import { extract, makeSite, type PackedArchive, packTo, type SiteOnDisk } from "./pack-to-tree.ts";
import { applyChange, change, makeTree } from "./random-changes.ts";
import { treeFacts } from "./tree-facts.ts";

const OLD = 1_700_000_000;
/**
 * More than the file system's clock needs to tick, and less than a backup takes: so what has not changed for a step
 * can be copied, which would take two seconds with the product's window.
 */
const RACY_WINDOW_NS = 20_000_000n;

async function expectExact(on: SiteOnDisk, packed: PackedArchive, dump: string): Promise<void> {
  const tree = join(on.dir, "out");
  await rm(tree, { recursive: true, force: true });
  const { complaints } = await extract(packed.archive, tree);
  expect(complaints).toBe("");
  expect(treeFacts(join(tree, "wp-content"))).toEqual(treeFacts(on.content));
  expect(await readFile(join(tree, "database.sql"), "utf8")).toBe(dump);
  expect(readdirSync(tree).sort()).toEqual(["database.sql", "wp-config.php", "wp-content"]);
}

describe("a history of backups", () => {
  it("is at each step exactly the tree of that step, with whatever could be copied", async () => {
    let copiedBytes = 0;
    let incrementals = 0;
    const steps = fc.array(fc.tuple(fc.array(change, { maxLength: 5 }), fc.boolean()), {
      minLength: 4,
      maxLength: 6,
    });
    const history = fc.asyncProperty(steps, async (chosen) => {
      await using on = await makeSite();
      const tree = makeTree(on.content);
      for (let n = 0; n < 12; n += 1) writeFileSync(join(on.content, `base${n}`), tree.bytes(n * 9_000));
      let previous: PackedArchive | undefined;
      for (const [index, [changes, newDump]] of chosen.entries()) {
        for (const one of changes) applyChange(tree, one);
        const dump = newDump ? `-- dump ${index}\n` : "-- the same dump\n";
        const how = { dump, racyWindowNs: RACY_WINDOW_NS };
        const archive = join(on.dir, `${index}.tar.zst`);
        const packed = await packTo(archive, on, previous === undefined ? how : { ...how, previous });
        await expectExact(on, packed, dump);
        copiedBytes += packed.plan.copied.bytes;
        if (packed.plan.mode === "incremental") incrementals += 1;
        previous = packed;
      }
    });
    await fc.assert(history, { numRuns: 6 });
    expect(incrementals).toBeGreaterThan(3);
    expect(copiedBytes).toBeGreaterThan(0);
  }, 120_000);
});

describe("a file that cannot be trusted to be as its stat says", () => {
  async function flagsOf({ result }: PackedArchive, name: string): Promise<number> {
    const { entries } = await decodeIndex(Buffer.concat(result.index));
    return entries.flags(entries.find(`wp-content/${name}`));
  }

  it("is read again if it was written within two seconds before it was read", async () => {
    await using on = await makeSite();
    writeFileSync(join(on.content, "fresh"), "one");
    utimesSync(join(on.content, "fresh"), OLD, OLD);
    const first = await packTo(join(on.dir, "1.tar.zst"), on, {});
    expect(await flagsOf(first, "fresh")).toBe(FLAG_RACY);
    const second = await packTo(join(on.dir, "2.tar.zst"), on, { previous: first });
    expect(second.plan.counts).toMatchObject({ changed: 2, deleted: 0 }); // It, and wp-config.php.
  });

  it("is read again if it changed while it was read, even if nothing else tells", async () => {
    await using on = await makeSite();
    writeFileSync(join(on.content, "a-big"), Buffer.alloc(4_000_000, "a"));
    const how = { racyWindowNs: 0n };
    const meanwhile = async (): Promise<void> => appendFileSync(join(on.content, "a-big"), "more");
    const first = await packTo(join(on.dir, "1.tar.zst"), on, { ...how, meanwhile });
    expect(await flagsOf(first, "a-big")).toBe(FLAG_CHANGED_WHILE_READ);
    const second = await packTo(join(on.dir, "2.tar.zst"), on, { ...how, previous: first });
    await expectExact(on, second, "-- a dump\n");
    expect(await flagsOf(second, "a-big")).toBe(0);
    const third = await packTo(join(on.dir, "3.tar.zst"), on, { ...how, previous: second });
    await expectExact(on, third, "-- a dump\n");
    expect(third.plan).toMatchObject({ mode: "incremental", counts: { changed: 0, added: 0 } });
    expect(third.summary.bytesRead).toBe(0);
  });
});

it("copies the dump, too, if it is the same, and packs one of another content", async () => {
  await using on = await makeSite();
  const how = { racyWindowNs: 0n };
  const first = await packTo(join(on.dir, "1.tar.zst"), on, { ...how, dump: "-- same\n" });
  const second = await packTo(join(on.dir, "2.tar.zst"), on, { ...how, dump: "-- same\n", previous: first });
  await expectExact(on, second, "-- same\n");
  expect(second.plan.copied.database).not.toBeNull();
  const third = await packTo(join(on.dir, "3.tar.zst"), on, { ...how, dump: "-- other\n", previous: second });
  await expectExact(on, third, "-- other\n");
  expect(third.plan.copied.database).toBeNull();
});

it("is packed in full, and says so, if the index before cannot be read", async () => {
  await using on = await makeSite();
  const first = await packTo(join(on.dir, "1.tar.zst"), on, {});
  const damaged = { ...first, result: { ...first.result, index: [Buffer.from("no index")] } };
  const second = await packTo(join(on.dir, "2.tar.zst"), on, { previous: damaged });
  await expectExact(on, second, "-- a dump\n");
  expect(second.plan).toMatchObject({ mode: "full", fullReason: "previous_unreadable" });
});
