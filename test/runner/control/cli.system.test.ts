// The command line as an operator types it: enrolment, what is written and with which modes, exit codes, status.
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backupdLauncher } from "#local/backupd-launcher.ts";
import { type FakeMaster, startFakeMaster } from "#test/fakes/fake-master.ts";
import { tempDir } from "./harness.ts";

let temp: Awaited<ReturnType<typeof tempDir>>;
let master: FakeMaster;
let dir: string;

beforeEach(async () => {
  temp = await tempDir();
  master = await startFakeMaster();
  dir = join(temp.path, "state");
});
afterEach(async () => {
  await master[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function backupd(
  args: readonly string[],
  input = "",
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn(backupdLauncher(), args, {
    env: { PATH: process.env.PATH, BACKUPD_STATE_DIR: dir, ...env },
  });
  child.stdin.end(input);
  const code = new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const enroll = (token = master.enrollmentToken, ...more: string[]): Promise<Ended> =>
  backupd(["enroll", "--master", `${master.url}/api/v1/`, "--token", "-", ...more], `${token}\n`);
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe("enroll", () => {
  test("writes a private identity with keys that the Master knows only the public halves of", async () => {
    const ended = await enroll();
    expect(ended).toMatchObject({ code: 0, stdout: "" });
    expect(ended.stderr).toContain(master.nodeId);
    expect(await modeOf(dir)).toBe("700");
    expect(await modeOf(join(dir, "identity.json"))).toBe("600");
    const identity = JSON.parse(await readFile(join(dir, "identity.json"), "utf8"));
    expect(identity).toMatchObject({
      node_id: master.nodeId,
      master_url: master.url,
      audience: "backupd-test",
    });
    const sent = JSON.stringify(master.calls);
    expect(sent).toContain(identity.signing_key.x);
    expect(sent).not.toContain(identity.signing_key.d);
    expect(sent).not.toContain("AGE-SECRET-KEY");
    expect((await backupd(["status"])).code).toBe(0);
  });

  test("takes the token from the environment, and never shows it", async () => {
    const env = { BACKUPD_TOKEN: master.enrollmentToken };
    const ended = await backupd(["enroll", "--master", master.url], "", env);
    expect(ended.code).toBe(0);
    expect(ended.stderr + ended.stdout).not.toContain("PLANTED");
  });

  test("writes nothing when the Master says no", async () => {
    const ended = await enroll("a-token-that-was-used-already");
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("enrollment_token_invalid");
    expect(ended.stderr).toContain("→ Make a new one");
    expect((await readdir(dir)).filter((name) => name.startsWith("identity"))).toEqual([]);
  });

  test("does not replace an identity without --force, and does not spend the token", async () => {
    await enroll();
    const before = await readFile(join(dir, "identity.json"), "utf8");
    const calls = master.calls.length;
    expect(await enroll()).toMatchObject({ code: 1, stderr: expect.stringContaining("--force") });
    expect(master.calls).toHaveLength(calls);
    expect(await readFile(join(dir, "identity.json"), "utf8")).toBe(before);
    expect((await enroll(master.enrollmentToken, "--force")).code).toBe(0);
    expect(await readFile(join(dir, "identity.json"), "utf8")).not.toBe(before);
  });

  test.each([
    ["no TLS there", (url: string) => url.replace("http:", "https:"), 1, "speaks no TLS"],
    ["in the clear to elsewhere", () => "http://master.example.com", 2, "must begin with https://"],
    ["not a URL", () => "master", 2, "is not a URL"],
  ])("explains a wrong URL: %s", async (_, url, code, words) => {
    const env = { BACKUPD_TOKEN: master.enrollmentToken };
    const ended = await backupd(["enroll", "--master", url(master.url)], "", env);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(words);
  });

  test("needs a token", async () => {
    expect(await enroll("")).toMatchObject({ code: 2, stderr: expect.stringContaining("BACKUPD_TOKEN") });
  });
});

describe("the state directory", () => {
  test("is refused when others can read it", async () => {
    await mkdir(dir, { mode: 0o755 });
    await chmod(dir, 0o755);
    expect(await enroll()).toMatchObject({ code: 78, stderr: expect.stringContaining("chmod go=") });
    expect(master.calls).toEqual([]);
  });

  test("is refused when its identity can be read by others, or is damaged", async () => {
    await enroll();
    await chmod(join(dir, "identity.json"), 0o644);
    expect(await backupd(["status"])).toMatchObject({ code: 78, stderr: expect.stringContaining("0644") });
    await chmod(join(dir, "identity.json"), 0o600);
    await writeFile(join(dir, "identity.json"), "{");
    expect(await backupd(["run"])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("state_dir_unusable"),
    });
  });
});

describe("the command line", () => {
  test("explains itself", async () => {
    const { code, stdout } = await backupd(["--help"]);
    expect(code).toBe(0);
    for (const word of ["enroll", "run-once", "status", "Exit codes", "BACKUPD_TOKEN"])
      expect(stdout).toContain(word);
    expect((await backupd(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("says all that is wrong with it at once", async () => {
    const env = { BACKUPD_LOG_LEVEL: "loud" };
    const ended = await backupd(["status", "--state-dir", "relative"], "", env);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("--state-dir");
    expect(ended.stderr).toContain("BACKUPD_LOG_LEVEL");
    expect((await backupd(["frobnicate"])).code).toBe(2);
  });

  test.each([["run"], ["run-once"], ["--run-once"], ["status"]])("%s needs an identity", async (command) => {
    expect(await backupd([command])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("backupd enroll"),
    });
  });

  test("--run-once takes a site like run-once", async () => {
    await enroll();
    const ended = await backupd(["--run-once", "--site", "no-such-site"]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("shop.example.com");
  });
});

describe("status", () => {
  test("is for machines too", async () => {
    await enroll();
    const { code, stdout } = await backupd(["status", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      node: { id: master.nodeId },
      master: { reachable: true },
      daemon_running: false,
      outbox_length: 0,
      sites: [{ name: "shop.example.com" }],
    });
  });

  test("answers also when the Master is away, and says whose clock is off", async () => {
    await enroll();
    master.now = () => new Date(Date.now() - 300_000);
    expect(await backupd(["status"])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("300 s ahead"),
    });
    await master.goAway();
    expect(await backupd(["status"])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("was refused"),
    });
  });
});
