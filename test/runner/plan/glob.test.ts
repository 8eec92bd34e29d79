// Exclude globs: what they mean, that bytes that are not UTF-8 do no harm, and that no pattern makes them slow.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromUtf8 } from "#runner/plan/byte-string.ts";
import { excludesFor } from "#runner/plan/excludes.ts";
import { matchesGlob, parseGlob } from "#runner/plan/glob.ts";

function matches(pattern: string, path: string, isDirectory = false): boolean {
  return matchesGlob(parseGlob(pattern), fromUtf8(path).split("/"), isDirectory);
}

describe("globs", () => {
  it.each([
    ["*.log", "a.log", true],
    ["*.log", "x/a.log", false],
    ["**/*.log", "a.log", true],
    ["**/*.log", "x/y/a.log", true],
    ["uploads/**", "uploads/a/b", true],
    ["uploads/**", "uploads", false],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["a/**/z", "a/b/c/y", false],
    ["/uploads/./x", "uploads/x", true],
    ["?.txt", "é.txt", true],
    ["?.txt", "ab.txt", false],
    ["a*b*c", "a-b-b-c", true],
    ["a[b]", "a[b]", true],
    ["", "a", false],
  ])("%s on %s", (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected);
  });

  it("takes a slash at the end for directories only", () => {
    expect([matches("logs/", "logs", true), matches("logs/", "logs", false)]).toEqual([true, false]);
  });

  it("is what a plain recursive definition says it is", () => {
    const part = fc.constantFrom("a", "b", "ab", "*", "?", "a*", "**");
    const name = fc.constantFrom("a", "b", "ab", "ba");
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.array(name, { minLength: 1, maxLength: 6 }),
        (parts, path) => {
          expect(matches(parts.join("/"), path.join("/"))).toBe(oracle(parts, path));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("takes no time over patterns made to take it", () => {
    const started = performance.now();
    matches(`${"**/a*".repeat(100)}/b`, `${"a".repeat(50)}/`.repeat(80).slice(0, -1));
    matches(`${"*a".repeat(250)}b`, "a".repeat(4_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

function oracle(parts: readonly string[], path: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return path.length === 0;
  if (part === "**") {
    if (rest.length === 0) return path.length > 0;
    return oracle(rest, path) || (path.length > 0 && oracle(parts, path.slice(1)));
  }
  const [name, ...below] = path;
  if (name === undefined) return false;
  const pattern = part.replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(name) && oracle(rest, below);
}

describe("excludes", () => {
  const excludes = excludesFor(["uploads/tmp/", "**/*.bak"]);
  const out = (path: string, isDirectory: boolean): boolean => excludes(path.split("/"), isDirectory);

  it("always leaves out directories called cache and node_modules, at any depth", () => {
    for (const path of ["cache", "uploads/cache", "themes/x/node_modules"])
      expect(out(path, true), path).toBe(true);
    for (const path of ["cache", "plugins/x/cache.php", "node_modules"])
      expect(out(path, false), path).toBe(false);
    for (const path of ["plugins/wp-super-cache", "Cache", "cached"])
      expect(out(path, true), path).toBe(false);
  });

  it("keeps Composer packages called cache: they are code", () => {
    for (const path of ["plugins/x/vendor/psr/cache", "plugins/x/lib/vendor/symfony/cache"])
      expect(out(path, true), path).toBe(false);
    for (const path of [
      "plugins/x/vendor/cache",
      "vendor/psr/cache/cache",
      "plugins/x/vendor/psr/node_modules",
    ])
      expect(out(path, true), path).toBe(true);
  });

  it("leaves out what other backup plugins keep, but not the plugins", () => {
    for (const path of ["updraft", "ai1wm-backups", "uploads/backwpup-a1b2-backups"])
      expect(out(path, true), path).toBe(true);
    for (const path of ["plugins/updraftplus", "uploads/updraft", "plugins/backwpup"])
      expect(out(path, true), path).toBe(false);
  });

  it("leaves out what the operator says", () => {
    expect([
      out("uploads/tmp", true),
      out("uploads/x/old.bak", false),
      out("uploads/tmp.txt", false),
    ]).toEqual([true, true, false]);
  });
});
