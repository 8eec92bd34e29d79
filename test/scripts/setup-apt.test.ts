// Installing packages must start no service on somebody's machine, and must leave nothing behind that stops services.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { installWithApt } from "../../scripts/setup-apt.mjs";

let dir: string;
let policyPath: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "backupd-test-"));
  policyPath = join(dir, "policy-rc.d");
});
afterEach(() => rm(dir, { recursive: true }));

/** An apt-get that notes how it is called and what the policy answers meanwhile, then runs `script`. */
async function pretendApt(script: string): Promise<void> {
  const path = join(dir, "apt-get");
  await writeFile(path, `#!/bin/sh\ncd "${dir}"\necho "$*" >> calls\n${script}\n`);
  await chmod(path, 0o755);
}
function install(updateFirst = false): void {
  const action = { packages: ["zstd", "wget"], sudo: false, updateFirst };
  installWithApt(action, () => undefined, { policyPath, env: { PATH: `${dir}:${process.env.PATH}` } });
}
const calls = async (): Promise<string[]> =>
  (await readFile(join(dir, "calls"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");

it("forbids the start of services while it installs, and only then", async () => {
  await pretendApt('"$PWD/policy-rc.d"; echo $? > answer');
  install();
  expect(await readFile(join(dir, "answer"), "utf8")).toBe("101\n");
  expect(existsSync(policyPath)).toBe(false);
  expect(await readFile(join(dir, "calls"), "utf8")).toMatch(/--no-install-recommends zstd wget\n$/);
});

it("forbids nothing any more when it was killed", async () => {
  await pretendApt("cp policy-rc.d kept; kill -9 $PPID");
  expect(() => install()).toThrow("apt could not install them");
  expect(spawnSync(join(dir, "kept")).status).toBe(0);
});

it("leaves a policy alone that was there before", async () => {
  await writeFile(policyPath, "theirs");
  await pretendApt("exit 0");
  install();
  expect(await readFile(policyPath, "utf8")).toBe("theirs");
});

it("updates the lists and tries once more when the first try fails", async () => {
  await pretendApt("[ $(wc -l < calls) -gt 1 ]");
  install();
  expect(await calls()).toEqual(["install", "update", "install"]);
});

it("updates first when there are no lists", async () => {
  await pretendApt("exit 0");
  install(true);
  expect(await calls()).toEqual(["update", "install"]);
});

it("shows apt's own words when it cannot", async () => {
  await pretendApt("echo 'E: Unable to locate package' >&2; exit 100");
  expect(() => install()).toThrow("E: Unable to locate package");
  expect(existsSync(policyPath)).toBe(false);
});
