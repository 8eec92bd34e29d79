// The seek table against the format's own implementation (facebook/zstd, contrib/seekable_format): what its packer made is
// read here, in any clone, and its reader opens our archives wherever ZSTD_SEEKABLE_READER names it (`make
// seekable_decompression` in contrib/seekable_format/examples; neither npm nor Debian has it).
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeSeekTable, readSeekTableFooter } from "#shared/format/seek-table.ts";
import { object } from "./sample-archive.ts";

const READER = process.env["ZSTD_SEEKABLE_READER"];
const RUNS = 60;

/** `seekable_compression v.txt 1000 3` of its commit 2dddf0905 (2024-10-24), checksums included; what v.txt is, the test says. */
const PACKED = Buffer.from(
  [
    "KLUv/QAAvQMAksQQGIDVOcAk5mrtPhRMEAGJkcN13UwCFjbRE4iIqCTIYRTEgEFzhbKZrTp3QHsWLV9Mqt95pSJN",
    "af10nl/gz+m0FnymKxEA/RGm0I+Qjn2ExMhHSMI9QoLqEdINSGxAkgHpBiQ2IMmAdAMSG5BkIPdC6AdrYQIotS/9",
    "AAClAwDSxBEYgKc6ICF/WdoD0cEmJhPqdTtwAXdDq+4BZBiV0BEETCGjqIQQxWHX4I6Q7Yd2qUsZWz8N0THx6DRb",
    "H+I/dYDC28rCbxXCBxEAIBEEEg5IjEASAukIJEYgCYF0BBIjkIRAugQSDkiMQBKCdBsCjYEtZCi1L/0AANUCADLE",
    "DxiQxTmwBCEJNQEtSKosdHdC7duP0+vbBQTIYRTEcH5Mcwu8+Zxr4fhKU7Ac4S2rVcYOWM1i8qQc+pnTKWrmOgkA",
    "BqcQSEcgMQJJCKQjkBhBkoZgd7EWKF4qTRgtAAAAgAAAAOgDAAC4i3NsfQAAAOgDAADQ1PEPYwAAACYCAABa9z1k",
    "AwAAAICx6pKP",
  ].join(""),
  "base64",
);

it("finds the frames that the official packer made", () => {
  const lines = Array.from(
    { length: 40 },
    (_, n) => `line ${n} of a text that the official seekable_compression packed\n`,
  );
  const { tableBytes, entryBytes } = readSeekTableFooter(PACKED);
  expect(entryBytes).toBe(12);
  const frames = decodeSeekTable(PACKED.subarray(-tableBytes));
  expect(frames.map(({ decompressedBytes }) => decompressedBytes)).toEqual([1000, 1000, 550]);
  let from = 0;
  const plain = frames.map(({ compressedBytes }) => {
    from += compressedBytes;
    return zstdDecompressSync(PACKED.subarray(from - compressedBytes, from)).toString();
  });
  expect(from).toBe(PACKED.length - tableBytes);
  expect(plain.join("")).toBe(lines.join(""));
});

it.runIf(READER !== undefined)("lets the official reader jump to any range of an archive", async () => {
  const dir = await mkdtemp(join(tmpdir(), "backupd-seekable-"));
  try {
    const file = join(dir, "archive.tar.zst");
    await writeFile(file, object);
    const run = promisify(execFile);
    const tarBytes = decodeSeekTable(object.subarray(-readSeekTableFooter(object).tableBytes)).reduce(
      (sum, { decompressedBytes }) => sum + decompressedBytes,
      0,
    );
    await run("zstd", ["-q", "-d", file]);
    const { stdout: tar } = await run("cat", [join(dir, "archive.tar")], { encoding: "buffer" });
    expect(tar.length).toBe(tarBytes);
    const range = fc
      .tuple(fc.nat(tarBytes), fc.nat(tarBytes))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
    const ranges = fc.oneof(fc.constant([0, tarBytes]), range);
    await fc.assert(
      fc.asyncProperty(ranges, async ([start = 0, end = 0]) => {
        const args = [file, String(start), String(end)];
        const { stdout } = await run(READER ?? "", args, { encoding: "buffer" });
        expect(stdout.equals(tar.subarray(start, end))).toBe(true);
      }),
      { numRuns: RUNS },
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
