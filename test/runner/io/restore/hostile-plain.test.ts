// Archives of other tools that mean harm: none may write outside the target, and none may end as if all were well.

import { readdirSync, readFileSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PlainSummary } from "#runner/io/restore/plain-protocol.ts";
import { createPlainTree } from "#runner/io/restore/plain-tree.ts";
import { openTreeBuilder } from "#runner/io/restore/tree-builder.ts";
import { fromUtf8 } from "#runner/plan/byte-string.ts";
import { type Cage, makeCage, pax, paxRecord, plainArchive, TAR_END, tarEntry } from "./craft-archive.ts";

let cage: Cage;
beforeEach(() => {
  cage = makeCage();
});
afterEach(() => {
  cage[Symbol.dispose]();
});

/** What the worker does with the tar, in this thread: many archives in little time. */
function unpack(pieces: readonly Buffer[], budgetBytes = 1e6): PlainSummary {
  using tree = openTreeBuilder(fromUtf8(cage.target));
  const plain = createPlainTree(tree, { selection: {}, budgetBytes });
  plain.tar.write(Buffer.concat([...pieces, TAR_END]));
  return plain.finish();
}

const outside = "../../outside";
const file = (name: string): Buffer => tarEntry({ name, content: "pwned" });
const symlink = (name: string, link: string): Buffer => tarEntry({ name, link, type: "2" });
const hardLink = (name: string, link: string): Buffer => tarEntry({ name, link, type: "1" });
const directory = (name: string): Buffer => tarEntry({ name, type: "5", mode: 0o755 });

const REFUSED: Record<string, () => readonly Buffer[]> = {
  "an absolute name": () => [file(cage.victim)],
  "an absolute name in a pax header": () => [pax(paxRecord("path", cage.victim)), file("harmless")],
  "a name that climbs": () => [file(`${outside}/victim`)],
  "a name that climbs from within": () => [file(`wp-content/../${outside}/victim`)],
  "a name that ends in a climb": () => [directory("wp-content/..")],
  "a climbing pax name over a harmless one": () => [pax(paxRecord("path", `${outside}/x`)), file("harmless")],
  "a climbing name in a global pax header": () => [
    pax(paxRecord("path", `${outside}/x`), "g"),
    file("harmless"),
  ],
  "a climbing GNU long name": () => [
    tarEntry({ name: "././@LongLink", type: "L", content: `${outside}/x\0` }),
    file("harmless"),
  ],
  "a climbing ustar prefix": () => {
    const block = file("victim");
    block.write("../../outside", 345);
    block.fill(0x20, 148, 156);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [block];
  },
  "a dot in the middle of a name": () => [file("wp-content/./x")],
  "an empty component": () => [file("wp-content//x")],
  "no name": () => [file("")],
  "a NUL in a name": () => [pax(paxRecord("path", "wp-content/x\0y")), file("harmless")],
  "a symlink, and a file through it": () => [symlink("wp-content", outside), file("wp-content/victim")],
  "a symlink, and a file over it": () => [
    symlink("wp-config.php", `${outside}/victim`),
    file("wp-config.php"),
  ],
  "a file, and a symlink over it": () => [
    file("wp-config.php"),
    symlink("wp-config.php", `${outside}/victim`),
  ],
  "a symlink, and a directory over it": () => [symlink("wp-content", outside), directory("wp-content")],
  "a directory through a symlink": () => [symlink("a", outside), directory("a/b")],
  "a symlink through a symlink": () => [symlink("a", outside), symlink("a/b", "/etc/passwd")],
  "a hard link to an absolute name": () => [hardLink("x", cage.victim)],
  "a hard link that climbs": () => [hardLink("x", `${outside}/victim`)],
  "a hard link through a symlink": () => [symlink("s", outside), hardLink("x", "s/victim")],
  "a hard link to a symlink": () => [symlink("s", `${outside}/victim`), hardLink("x", "s")],
  "a hard link to nothing": () => [hardLink("x", "y")],
  "a hard link to itself": () => [hardLink("x", "x")],
  "a hard link over a file": () => [file("x"), file("y"), hardLink("x", "y")],
  "two files of one name": () => [file("x"), file("x")],
  "a file below a file": () => [file("x"), file("x/y")],
  "a directory over a file": () => [file("x"), directory("x")],
  "an unknown type": () => [tarEntry({ type: "S", content: "sparse" })],
  "a sparse file in pax": () => [pax(paxRecord("GNU.sparse.major", "1")), file("x")],
  "a wrong checksum": () => [tarEntry({ checksum: "000000\0 " })],
  "a negative size": () => [tarEntry({ size: Buffer.alloc(12, 0xff) })],
  "a size that is no number": () => [tarEntry({ size: "12x456789012" })],
  "a size beyond all numbers": () => [tarEntry({ size: Buffer.from([0x80, ...Buffer.alloc(11, 0xff)]) })],
  "a symlink with content": () => [tarEntry({ type: "2", link: "x", content: "more" })],
  "a symlink to nowhere at all": () => [symlink("x", "")],
  "a pax record longer than its header": () => [pax("99 path=x\n"), file("x")],
  "a pax record without a length": () => [pax("path=x\n"), file("x")],
  "a pax size that is no number": () => [pax(paxRecord("size", "-5")), file("x")],
  "a pax header of a gigabyte": () => [tarEntry({ type: "x", size: 2 ** 30 }), file("x")],
  "an end in the middle of a file": () => [tarEntry({ size: 5000, content: "short" })],
};

describe("another tool's archive is refused for", () => {
  it.each(Object.keys(REFUSED))("%s", async (name) => {
    const pieces = REFUSED[name]?.() ?? [];
    const before = readFileSync(cage.victim, "utf8");
    expect(() => unpack(pieces)).toThrow(
      expect.objectContaining({ code: "archive_corrupt" }) as unknown as Error,
    );
    expect(readFileSync(cage.victim, "utf8")).toBe(before);
    expect(readdirSync(`${cage.dir}/outside`)).toEqual(["victim"]);
    expect(readdirSync(cage.dir).sort()).toEqual(["deep", "outside"]);
  });

  it("more content than there is room for", () => {
    const bomb = { code: "disk_full" };
    expect(() => unpack([tarEntry({ size: 2 ** 32 })])).toThrow(
      expect.objectContaining(bomb) as unknown as Error,
    );
    const many = Array.from({ length: 300 }, (_, at) => tarEntry({ name: `wp-content/${at}` }));
    expect(() => unpack(many)).toThrow(expect.objectContaining(bomb) as unknown as Error);
  });
});

describe("another tool's archive", () => {
  it("makes no device, no FIFO, and no program that runs as its owner", () => {
    const special = ["3", "4", "6"].map((type) => tarEntry({ name: `wp-content/${type}`, type }));
    const summary = unpack([...special, tarEntry({ name: "wp-content/sh", mode: 0o6755, content: "#!" })]);
    expect(summary).toMatchObject({ skipped: 3, files: 1 });
    expect(cage.tree()).toEqual({
      ".": "755 dir",
      "wp-content": "755 dir",
      "wp-content/sh": "755 1 #!",
    });
  });

  it("keeps symlinks as they are, wherever they point, without touching what is there", async () => {
    const archive = plainArchive(symlink("wp-content/up", outside), file("wp-content/x"));
    await cage.extract(archive);
    expect(cage.tree()["wp-content/up"]).toBe("-> ../../outside");
  });

  it.each([
    ["cut off in the middle", (archive: Buffer) => archive.subarray(0, archive.length - 5)],
    ["followed by something else", (archive: Buffer) => Buffer.concat([archive, Buffer.from("more")])],
    ["followed by half a frame", (archive: Buffer) => Buffer.concat([archive, archive.subarray(0, 9)])],
    ["no zstd", () => Buffer.from("PK\u0003\u0004 something else entirely")],
    ["empty", () => Buffer.alloc(0)],
    [
      "damaged",
      (archive: Buffer) => Buffer.from(archive.map((byte, at) => (at === 30 ? byte ^ 0xff : byte))),
    ],
  ])("is refused when it is %s", async (_what, spoil) => {
    const archive = spoil(plainArchive(tarEntry({ content: "some content that compresses ".repeat(30) })));
    await expect(cage.extract(archive)).rejects.toMatchObject({ code: "archive_corrupt" });
  });

  it("is read whole, in one frame or many", async () => {
    const tar = Buffer.concat([
      directory("./"),
      directory("./wp-content/"),
      tarEntry({ name: "./database.sql", content: "-- dump" }),
      tarEntry({ name: "./wp-content/a.txt", content: "a".repeat(1000) }),
      hardLink("./wp-content/b.txt", "./wp-content/a.txt"),
      TAR_END,
    ]);
    const frames = Array.from({ length: Math.ceil(tar.length / 700) }, (_, at) =>
      zstdCompressSync(tar.subarray(at * 700, at * 700 + 700)),
    );
    const summary = await cage.extract(Buffer.concat(frames));
    expect(summary).toMatchObject({
      files: 2,
      filesBytes: 1000,
      dbBytes: 7,
      dbPath: "database.sql",
      directories: 1,
    });
    expect(cage.tree()["wp-content/b.txt"]).toBe(`644 2 ${"a".repeat(1000)}`);
  });
});
