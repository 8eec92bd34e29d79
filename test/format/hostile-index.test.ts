// An index may be wrong although all its hashes fit, from a faulty writer or a forger: the reader written from
// docs/FORMAT.md refuses it, and so does the product's where the rule lies within one line or in the counts.
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { productSays } from "./product-reader.ts";
import { brokenRule, indexLines, packed, withIndex } from "./sample-archive.ts";

describe("an index whose hashes fit", () => {
  it("may come in several frames", () => {
    const lines = indexLines();
    const blocks = [lines.slice(0, 1), lines.slice(1, 9), lines.slice(9)].map(packed);
    expect(brokenRule(withIndex(blocks))).toBe("none");
    expect(brokenRule(withIndex([packed(lines), ...blocks]))).not.toBe("none");
  });

  it.each<[fault: string, pattern: RegExp, by: string]>([
    ["a name that climbs out", /"wp-content\/added later"/, '"wp-content/../added later"'],
    ["an absolute name", /"wp-content\/added later"/, '"/wp-content/added later"'],
    ["base64 for a name that is UTF-8", /"wp-content\/added later"/, '["YQ=="]'],
    ["an unknown type", /^\["f"/m, '["x"'],
    ["an offset inside a block", /("wp-content\/added later",\d+),/, "$11,"],
    ["an unknown version", /"version":1/, '"version":2'],
    ["a gap between frames", /^\[0,/m, "[1,"],
    ["a time with a leading zero", /(,"\d+)("(?:,"\d+"){2},0\]$)/m, ',"01$2'],
    ["a database at another place", /("tar_offset":)\d+/, "$10"],
    ["a database of another length", /("tar_bytes":)\d+(,"bytes":)/, "$1512$2"],
    ["a flag that does not exist", /,0\]$/m, ",4]"],
    ["one line less than counted", /\n[^\n]*$/, ""],
  ])("is refused by both readers: %s", (_, pattern, by) => {
    const right = indexLines().join("\n");
    const wrong = right.replace(pattern, by);
    expect(wrong).not.toBe(right);
    expect(brokenRule(withIndex([packed([wrong])]))).toMatch(/^docs\/FORMAT.md: /);
    const decodeAll = (text: string): void => {
      const ignore = (): undefined => undefined;
      const decoder = createIndexDecoder({ header: ignore, frame: ignore, entry: ignore });
      decoder.write(Buffer.from(`${text}\n`));
      decoder.end();
    };
    expect(() => decodeAll(right)).not.toThrow();
    expect(() => decodeAll(wrong)).toThrow();
  });

  it.each<[fault: string, pattern: RegExp, by: string, rule: string]>([
    ["another name than the tar", /"wp-content\/added later"/, '"wp-content/added earlier"', "name in tar"],
    ["another size than the tar", /("wp-content\/added later",\d+),5000,/, "$1,4999,", "size in tar"],
    ["another SHA-256 of the dump", /("bytes":\d+,"sha256":")\w{8}/, "$100000000", "SHA-256 of the dump"],
    ["a name twice", /"wp-content\/added later"/, '"wp-content/dangling"', "no two entries"],
  ])("is found out by reading everything: %s", (_, pattern, by, rule) => {
    const right = indexLines().join("\n");
    const wrong = right.replace(pattern, by);
    expect(wrong).not.toBe(right);
    expect(brokenRule(withIndex([packed([wrong])]))).toContain(rule);
  });

  it("never decompresses to more than 4 MiB, and has nothing after its zstd frame", async () => {
    const lines = packed(indexLines());
    expect(brokenRule(withIndex([zstdCompressSync(Buffer.alloc(64 * 2 ** 20, "\n"))]))).toContain("4194304");
    const twice = withIndex([Buffer.concat([lines, lines])]);
    expect(brokenRule(twice)).toContain("one zstd frame");
    expect(await productSays(twice)).toBe("archive_corrupt");
    expect(await productSays(withIndex([lines]))).toBe("none");
  });
});
