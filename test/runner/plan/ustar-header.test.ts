// Another implementation's block, byte for byte.
import fc from "fast-check";
import { Header } from "tar/header";
import { expect, it } from "vitest";
import {
  BLOCK_BYTES,
  type UstarFields,
  type UstarType,
  writeUstarHeader,
} from "#runner/plan/ustar-header.ts";

const TYPES: readonly UstarType[] = ["File", "Link", "SymbolicLink", "Directory", "ExtendedHeader"];
const name = fc.string({
  unit: fc.integer({ min: 1, max: 127 }).map((code) => String.fromCharCode(code)),
  maxLength: 99,
});
const number = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.nat(max),
    fc.nat(max).map((n) => n >>> 12),
    fc.constant(max),
  );

const fields: fc.Arbitrary<UstarFields> = fc.record({
  type: fc.constantFrom(...TYPES),
  name,
  linkName: name,
  mode: number(0o7777),
  uid: number(0o7777777),
  gid: number(0o7777777),
  size: fc.oneof(fc.maxSafeNat(), fc.nat()).map((size) => size % 0o100000000000),
  mtimeSeconds: fc.oneof(fc.maxSafeNat(), fc.nat()).map((time) => time % 0o100000000000),
});

it("is what node-tar makes", () => {
  fc.assert(
    fc.property(fields, ({ linkName, mtimeSeconds, name: path, ...rest }) => {
      const theirs = Buffer.alloc(BLOCK_BYTES);
      new Header({ ...rest, path, linkpath: linkName, mtime: new Date(mtimeSeconds * 1000) }).encode(theirs);
      const ours = Buffer.alloc(3 * BLOCK_BYTES);
      writeUstarHeader(ours, BLOCK_BYTES, { ...rest, name: path, linkName, mtimeSeconds });
      expect(ours.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES).equals(theirs)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
