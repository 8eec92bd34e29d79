// npm run deploy where there is no AWS: a dry run shows what would be deployed, anything else says plainly what is missing.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");

async function deploy(...args: string[]): Promise<{ code: number; output: string }> {
  await using home = await makeTempDir();
  const env = { PATH: process.env["PATH"], HOME: home.path, AWS_EC2_METADATA_DISABLED: "true" };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["scripts/deploy.ts", ...args],
      { cwd: ROOT, env },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
      },
    );
  });
}

test("without credentials it says so, and what to set, and does nothing", async () => {
  const { code, output } = await deploy("--stage", "prod");
  expect(code).toBe(1);
  expect(output).toContain("There are no AWS credentials that work");
  expect(output).toContain("AWS_PROFILE");
  expect(output).not.toMatch(/Packaging|\n {4}at /);
});

test("a dry run packages with the parameters and needs no credentials", async () => {
  const { code, output } = await deploy("--stage", "prod", "--param", "archivesKms=true", "--dry-run");
  expect([code, output]).toEqual([0, expect.stringContaining("Dry run: nothing was sent.")]);
});

test("a wrong command line is answered with how it is used", async () => {
  for (const args of [[], ["--stage", "My Stage"], ["--stage", "prod", "--force"]]) {
    const { code, output } = await deploy(...args);
    expect([args, code, output]).toEqual([
      args,
      1,
      expect.stringContaining("npm run deploy -- --stage STAGE"),
    ]);
    expect(output).not.toMatch(/\n {4}at /);
  }
});
