// A flipped byte anywhere in an archive is found by reading it back, and so is a cut anywhere: every single byte of a
// small archive of the product, by the product's own reading code and by the reader written from docs/FORMAT.md.
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { packInline } from "#test/runner/io/pack-inline.ts";
import { makeSite, packTo } from "#test/runner/io/pack-to-tree.ts";
import { productSays } from "./product-reader.ts";
import { brokenRule } from "./sample-archive.ts";

const bySecond = async (archive: Buffer): Promise<string> =>
  brokenRule(archive, sha256Index) === "none" ? "none" : "archive_corrupt";
const READERS = [
  ["the product", (archive: Buffer) => productSays(archive, sha256Index)],
  ["the second reader", bySecond],
] as const;

/** Two bits of the seek table's descriptor have no meaning in the official format, and every reader ignores them. */
const SAYS_NOTHING = /^byte -5 \^ [12]: none$/;

/** The second archive of its site, so that the first frames are copies. */
let object: Buffer;
/** As the Master's record has it. */
let sha256Index: string;
beforeAll(async () => {
  await using on = await makeSite();
  for (const name of ["a", "b", "c"]) writeFileSync(join(on.content, name), `${name} `.repeat(300));
  const how = { frameBytes: 1024, dump: "-- dump\n", racyWindowNs: 0n, packer: packInline };
  const first = await packTo(join(on.dir, "first"), on, how);
  writeFileSync(join(on.content, "new"), "new");
  const second = await packTo(join(on.dir, "second"), on, { ...how, previous: first });
  expect(second.plan.mode).toBe("incremental");
  object = await readFile(second.archive);
  sha256Index = second.result.sha256Index;
  expect(object.length).toBeLessThan(4000);
});

describe.each(READERS)("%s", (_name, read) => {
  it("reads the archive as it is", async () => {
    expect(await read(object)).toBe("none");
  });

  it("finds every flipped byte", async () => {
    const missed: string[] = [];
    for (let at = 0; at < object.length; at += 1) {
      for (const mask of [0xff, 1 << (at % 8)]) {
        const flipped = Buffer.from(object);
        flipped.writeUInt8(flipped.readUInt8(at) ^ mask, at);
        const found = await read(flipped);
        if (found !== "archive_corrupt") missed.push(`byte ${at - object.length} ^ ${mask}: ${found}`);
      }
    }
    expect(missed.filter((miss) => !SAYS_NOTHING.test(miss))).toEqual([]);
  });

  it("finds every cut, at either end, and whatever is added", async () => {
    for (let bytes = 0; bytes < object.length; bytes += 1) {
      expect(await read(object.subarray(0, bytes)), `the first ${bytes} bytes`).toBe("archive_corrupt");
      expect(await read(object.subarray(object.length - bytes)), `the last ${bytes}`).toBe("archive_corrupt");
    }
    for (const more of [Buffer.alloc(1), Buffer.from("\n"), object]) {
      expect(await read(Buffer.concat([object, more]))).toBe("archive_corrupt");
      expect(await read(Buffer.concat([more, object]))).toBe("archive_corrupt");
    }
  });
});
