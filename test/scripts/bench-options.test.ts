// Who asks a bench for help, or misspells an option, gets the answer at once and in words: nothing is installed for it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** A checkout without packages, and without a manifest to install any by. */
let bare: string;
beforeAll(() => {
  bare = mkdtempSync(join(tmpdir(), "backupd-bench-"));
  for (const name of ["scripts", "bench"]) cpSync(join(ROOT, name), join(bare, name), { recursive: true });
});
afterAll(() => rmSync(bare, { recursive: true }));

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: bare, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

const BENCHES = [
  ["bench", "main.ts", "--rounds N"],
  ["bench:sizes", "sizes.ts", "--only NAME"],
] as const;

test.each(BENCHES)("npm run %s -- --help is its usage", (name, program, option) => {
  const { code, out, err } = run("scripts/bench.mjs", program, "--help");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(new RegExp(`^Usage: npm run ${name} -- `));
  expect(out).toContain(option);
});

test.each(BENCHES)("npm run %s names what it does not take, and has its usage below", (name, program) => {
  for (const [args, words] of [
    [["--halp"], "Unknown option '--halp'."],
    [["--dir"], "Option '--dir <value>' argument missing."],
    [["extra"], "Unexpected argument 'extra'."],
  ] as const) {
    const { code, out, err } = run("scripts/bench.mjs", program, ...args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err.split("\n").slice(0, 3)).toEqual([words, "", `Usage: npm run ${name} -- [options]`]);
    expect(err).not.toContain("    at ");
  }
});

test("what importing the functions costs is asked of packaged ones, and it says so", () => {
  const { code, out, err } = run("bench/imports.ts");
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toBe("There are no packaged functions: run npm run package first.\n");
});
