// The arithmetic of tar entries; that GNU tar agrees is proved in io/pack-site.test.ts.
import fc from "fast-check";
import { Header } from "tar/header";
import { describe, expect, it } from "vitest";
import { BLOCK_BYTES, encodeTarEntry, paddingBytes, type TarEntry } from "#runner/plan/tar-entry.ts";

const entry = (changes: Partial<TarEntry>): TarEntry => ({
  type: "File",
  name: "wp-content/a.txt",
  size: 3,
  mode: 0o100644,
  uid: 33,
  gid: 33,
  mtimeNs: 1_700_000_000_000_000_000n,
  ...changes,
});

/** The records of the pax header, if there is one: `length key=value\n`, read by the lengths. */
function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  if (bytes.length === BLOCK_BYTES) return records;
  const size = new Header(bytes).size ?? 0;
  let rest = bytes.subarray(BLOCK_BYTES, BLOCK_BYTES + size).toString("latin1");
  while (rest !== "") {
    const length = Number.parseInt(rest, 10);
    const [, key = "", value = ""] = /^\d+ ([^=]+)=([\s\S]*)\n$/.exec(rest.slice(0, length)) ?? [];
    records.set(key, value);
    rest = rest.slice(length);
  }
  return records;
}

describe("encodeTarEntry", () => {
  it("needs one block for what ustar can say", () => {
    const bytes = encodeTarEntry(entry({}));
    expect(bytes.length).toBe(BLOCK_BYTES);
    expect(new Header(bytes)).toMatchObject({
      path: "wp-content/a.txt",
      size: 3,
      mode: 0o644,
      uid: 33,
      cksumValid: true,
    });
  });

  it.each<[string, Partial<TarEntry>, Record<string, string>]>([
    ["8 GiB less one byte", { size: 8_589_934_591 }, {}],
    ["8 GiB", { size: 8_589_934_592 }, { size: "8589934592" }],
    ["large ids", { uid: 4_294_967_294, gid: 2_097_152 }, { uid: "4294967294", gid: "2097152" }],
    ["nanoseconds", { mtimeNs: 1_700_000_000_000_000_001n }, { mtime: "1700000000.000000001" }],
    ["half a second", { mtimeNs: 1_700_000_000_500_000_000n }, { mtime: "1700000000.5" }],
    ["before 1970", { mtimeNs: -1_500_000_000n }, { mtime: "-1.5" }],
    ["99 bytes", { name: "n".repeat(99) }, {}],
    ["100 bytes", { name: "n".repeat(100) }, { path: "n".repeat(100) }],
    ["bytes beyond ASCII", { name: "\xff\xfe" }, { path: "\xff\xfe" }],
    ["a directory", { type: "Directory", name: "\xe9", size: 0 }, { path: "\xe9/" }],
    [
      "a long target",
      { type: "SymbolicLink", linkName: "/".repeat(200), size: 0 },
      { linkpath: "/".repeat(200) },
    ],
  ])("uses pax for what ustar cannot say: %s", (_, changes, records) => {
    expect(Object.fromEntries(paxRecords(encodeTarEntry(entry(changes))))).toEqual(records);
  });

  it("is whole blocks with right lengths, whatever the name", () => {
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 1100 })
      .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString("latin1"));
    fc.assert(
      fc.property(name, (bytes) => {
        const encoded = encodeTarEntry(entry({ name: bytes }));
        expect(encoded.length % BLOCK_BYTES).toBe(0);
        const path = paxRecords(encoded).get("path") ?? new Header(encoded).path;
        expect(path).toBe(bytes);
        expect(new Header(encoded.subarray(-BLOCK_BYTES)).cksumValid).toBe(true);
      }),
    );
  });

  it("pads to whole blocks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (size) => {
        expect((size + paddingBytes(size)) % BLOCK_BYTES).toBe(0);
        expect(paddingBytes(size)).toBeLessThan(BLOCK_BYTES);
      }),
    );
  });
});
