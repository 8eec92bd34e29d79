// Passwords, tokens, keys and presigned URLs are where they belong and nowhere else: not in a log, an answer, a record,
// a file, a command line or an environment, neither when a backup succeeds nor when it fails.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type BackupdProcess, startBackupd } from "#local/backupd-process.ts";
import { SALT_NAMES } from "#local/demo/wp-config.ts";
import { openCredentials } from "#runner/io/credentials.ts";
import { readIdentity, tokenSigner } from "#runner/io/identity.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import { apiClient } from "#test/helpers/api-client.ts";
import { type Fleet, type RunResult, runBackupd, startFleet } from "#test/helpers/fleet.ts";
import { type SecondStorage, startSecondStorage } from "#test/helpers/second-storage.ts";
import { lockTable } from "./hold.ts";
import { type SeenProcess, secretsBelow, secretsIn, watchProcesses } from "./secret-hunt.ts";

const DB_PASSWORD = "Planted+Db/Passw0rd=for&the;hunt";
const secrets = new Map<string, string>([["database password", DB_PASSWORD]]);
/** In identity.json, and only there. */
const nodeKeys = new Set(["node's signing key", "node's age identity"]);

/** Of a storage with keys of its own, to which the site is backed up, too. */
const STORAGE_SECRET = "Planted+Storage/Secret=for&the;hunt";
let elsewhere: SecondStorage;
let fleet: Fleet;
let daemon: BackupdProcess;
const masterLog: string[] = [];
/** What was printed and answered, by what it came from. */
const said = new Map<string, string>();

const logLine = (...parts: unknown[]): void => {
  masterLog.push(inspect(parts, { depth: 10 }));
};

beforeAll(async () => {
  vi.stubEnv("BACKUPD_LOG_LEVEL", "debug");
  fleet = await startFleet({ stack: { deps: { log: { info: logLine, warn: logLine, error: logLine } } } });
  secrets.set("admin's token", fleet.stack.adminToken);
  secrets.set("Master's storage key", fleet.stack.masterKeys.secretAccessKey);
  await plantDbPassword();
  await plantEnrolmentToken();
  const identity = JSON.parse(await readFile(join(fleet.stateDir, "identity.json"), "utf8"));
  secrets.set("node's signing key", identity.signing_key.d).set("node's age identity", identity.age_identity);
  daemon = await startBackupd({ stateDir: fleet.stateDir, runDir: fleet.dir });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await daemon?.close();
  await elsewhere?.[Symbol.asyncDispose]();
  await fleet?.[Symbol.asyncDispose]();
});

const configPath = (): string => join(fleet.demo.siteDir, "wp-config.php");

async function setDbPassword(password: string): Promise<void> {
  const { mariadb, db } = fleet.demo;
  const hosts = await mariadb.exec(`SELECT host FROM mysql.user WHERE user = '${db.user}'`);
  for (const host of hosts.trim().split("\n")) {
    await mariadb.exec(`ALTER USER '${db.user}'@'${host}' IDENTIFIED BY '${password}'`);
  }
}

async function plantDbPassword(): Promise<void> {
  const config = await readFile(configPath(), "utf8");
  await setDbPassword(DB_PASSWORD);
  await writeFile(configPath(), config.replace((await fleet.demo.readDbPassword()) ?? "", DB_PASSWORD));
  for (const name of SALT_NAMES) {
    const salt = new RegExp(`'${name}', '(.{20,})'`).exec(config)?.[1];
    if (salt !== undefined) secrets.set(`WordPress' ${name}`, salt);
  }
}

async function plantEnrolmentToken(): Promise<void> {
  const { token } = await fleet.operator.call("createEnrollmentToken", { body: {} });
  secrets.set("enrolment token", token);
  vi.stubEnv("BACKUPD_TOKEN", token);
  const enrolled = await runBackupd([
    ...["enroll", "--master", fleet.proxy.url, "--name", "web2.example.com"],
    ...["--state-dir", join(fleet.dir, "second-node"), "--log-level", "debug"],
  ]);
  vi.stubEnv("BACKUPD_TOKEN", undefined);
  expect(enrolled.code).toBe(0);
  heard("enroll", enrolled);
}

function heard(what: string, { stdout, stderr }: RunResult): void {
  said.set(`${what} stdout`, stdout).set(`${what} stderr`, stderr);
}

async function answered(method: string, path: string): Promise<void> {
  const answer = await fleet.operator.request(method, path);
  expect(answer.status).toBeLessThan(300);
  said.set(`${method} ${path}`, answer.text);
}

/** The credentials that the Master's STS has handed out so far: those that the runner really had among them. */
function collectSessionSecrets(): number {
  const path = join(fleet.dir, "stack", "sts", "sessions.sqlite");
  const sqlite = new DatabaseSync(path, { readOnly: true });
  const rows = sqlite.prepare("SELECT secret_access_key AS key, session_token AS token FROM sessions").all();
  sqlite.close();
  for (const [index, { key, token }] of rows.entries()) {
    secrets.set(`session ${index}: secret key`, String(key)).set(`session ${index}: token`, String(token));
  }
  return rows.length;
}

describe("while a backup runs", () => {
  let seen: readonly SeenProcess[];
  let whileDumping: string[];

  beforeAll(async () => {
    const watch = watchProcesses();
    {
      await using lock = await lockTable(fleet, "shop_posts");
      const jobId = await fleet.start();
      await lock.dumpWaits();
      await watch.saw((command) => command.includes("mariadb-dump") && command.includes(fleet.demo.db.name));
      collectSessionSecrets();
      whileDumping = await secretsBelow(fleet.stateDir, secrets);
      await lock.release();
      expect(await fleet.waitForJob(jobId)).toMatchObject({ state: "succeeded" });
    }
    collectSessionSecrets();
    seen = await watch.end();
  });

  it("no secret is on a command line or in an environment of backupd, its programs or the site's servers", () => {
    // From its sources, or as it is installed.
    const programs = /\/(?:runner\/main\.ts|dist\/\S+\.mjs) |--defaults-file|^\S*(mariadbd|php\S*) /;
    const ours = seen.filter(({ command }) => programs.test(command));
    // The programs were seen at work: the hunt looked where a password would have been.
    expect(
      ours.some(({ command }) => command.includes("mariadb-dump") && command.includes(fleet.demo.db.name)),
    ).toBe(true);
    expect(ours.some(({ command }) => command.includes(`run --state-dir ${fleet.stateDir}`))).toBe(true);
    expect(seen.filter(({ command }) => secretsIn(command, secrets).length > 0)).toEqual([]);
    expect(ours.filter(({ environment }) => secretsIn(environment, secrets).length > 0)).toEqual([]);
  });

  it("no file of the node holds one but its identity, which holds its own keys", async () => {
    const allowed = [...nodeKeys].map((name) => `identity.json: ${name}`).sort();
    expect(whileDumping).toEqual(allowed);
    const scratch = [...(await readdir("/dev/shm")), ...(await readdir(tmpdir()))];
    expect(scratch.filter((name) => /^backupd-[0-9a-f]{8}-/.test(name))).toEqual([]);
  });
});

describe("what is said and kept", () => {
  beforeAll(async () => {
    await runEachWay();
    await failEachWay();
    await backUpElsewhere();
    await askEverything();
    said.set("daemon's log", await readFile(daemon.logFile, "utf8"));
    said.set("Master's log", masterLog.join("\n"));
    expect(collectSessionSecrets()).toBeGreaterThan(5);
  });

  async function runEachWay(): Promise<void> {
    for (const how of [["--log-level", "debug"], ["--json"], []]) {
      const result = await fleet.backupd("run-once", "--site", fleet.siteId, ...how);
      expect(result).toMatchObject({ code: 0 });
      heard(`run-once ${how.join(" ")}`, result);
    }
    heard("status", await fleet.backupd("status"));
    heard("status --json", await fleet.backupd("status", "--json"));
  }

  /** The daemon and a run by hand, with everything on, meet the same trouble. */
  async function failTwice(code: string): Promise<void> {
    expect(await fleet.waitForJob(await fleet.start())).toMatchObject({ state: "failed", error: { code } });
    const result = await fleet.backupd("run-once", "--site", fleet.siteId, "--log-level", "debug");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(code);
    heard(`run-once with ${code}`, result);
  }

  async function failEachWay(): Promise<void> {
    await setDbPassword("another");
    await failTwice("db_access_denied");
    await setDbPassword(DB_PASSWORD);

    fleet.s3Wire.fault = ({ operation }) =>
      operation === "UploadPart" ? { status: 403, code: "AccessDenied" } : undefined;
    await failTwice("storage_denied");
    fleet.s3Wire.fault = () => undefined;

    // A parser that quotes the line it stumbles over would quote the password.
    const config = await readFile(configPath(), "utf8");
    await writeFile(configPath(), config.replace(`'${DB_PASSWORD}' )`, `'${DB_PASSWORD}' ))) . oops oops`));
    await failTwice("wp_config_unreadable");
    await writeFile(configPath(), config);
  }

  /** Good and bad, with the storage's static keys on the node. */
  async function backUpElsewhere(): Promise<void> {
    elsewhere = await startSecondStorage(STORAGE_SECRET);
    secrets.set("storage's secret", STORAGE_SECRET);
    const { operator, siteId } = fleet;
    for (const body of [elsewhere.provider, { ...elsewhere.provider, endpoint: "no URL" }]) {
      const { status, text } = await operator.request("POST", "/storage/providers", { body });
      said.set(`POST /storage/providers: ${status}`, text);
    }
    const [, provider] = (await operator.call("listStorageProviders")).items;
    const id = provider?.id ?? "";
    await answered("POST", `/storage/providers/${id}/test`);
    await operator.call("patchSite", { id: siteId, body: { storage_provider_id: id } });
    expect(await fleet.waitForJob(await fleet.start())).toMatchObject({ state: "succeeded" });
    elsewhere.wire.fault = ({ operation }) =>
      operation === "UploadPart" ? { status: 403, code: "SignatureDoesNotMatch" } : undefined;
    await failTwice("storage_denied");
    await answered("POST", `/storage/providers/${id}/test`);
    await answered("GET", "/storage/providers");
    await answered("GET", `/storage/providers/${id}`);
    await operator.call("patchSite", { id: siteId, body: { storage_provider_id: "default" } });
  }

  async function askEverything(): Promise<void> {
    const { operator, siteId, stack, stateDir } = fleet;
    const { id, token } = await operator.call("createApiToken", {
      body: { label: "hunt", role: "operator" },
    });
    secrets.set("API token", token);
    const asOperator = apiClient(stack.apiUrl, async () => token);
    const backups = await asOperator.call("listBackups", { query: { site_id: siteId } });
    const backupId = backups.items[0]?.id ?? "";
    const { url } = await asOperator.call("downloadBackup", { id: backupId });
    secrets.set("presigned URL's signature", new URL(url).searchParams.get("X-Amz-Signature") ?? "");
    expect((await fetch(url)).status).toBe(200);
    await operator.call("deleteApiToken", { id });

    for (const path of ["nodes", "sites", "jobs", "backups", "activity", "api-tokens", "enrollment-tokens"]) {
      await answered("GET", `/${path}?limit=100`);
    }
    await answered("GET", `/backups/${backupId}`);
    await answered("GET", `/sites/${siteId}/backup/status`);
    await answered("GET", `/nodes/${fleet.nodeId}`);
    for (const { id: jobId } of (await operator.call("listJobs")).items)
      await answered("GET", `/jobs/${jobId}`);

    const identity = await readIdentity(await openStateDir(stateDir));
    const asNode = apiClient(
      stack.apiUrl,
      tokenSigner(identity, () => new Date()),
    );
    const config = await asNode.request("GET", "/nodes/config");
    said.set("GET /nodes/config", config.text);
    const at = { now: new Date(), monotonicMs: performance.now(), serverTime: config.json.server_time };
    const { credentials } = await openCredentials(config.json.credentials, identity.age_identity, at);
    // What the sealed part holds is what STS gave out, so the hunt is for the real ones.
    collectSessionSecrets();
    expect([...secrets.values()]).toContain(credentials.secretAccessKey);
    expect([...secrets.values()]).toContain(credentials.sessionToken);
  }

  it("the hunt finds what is there: where secrets belong, they are found", async () => {
    expect(secretsIn(await readFile(configPath()), secrets)).toContain("database password");
    expect(secretsIn(await readFile(join(fleet.dir, "stack", "stack.json")), secrets)).toContain(
      "admin's token",
    );
    expect(secretsIn(`a ${Buffer.from(`x${DB_PASSWORD}y`).toString("base64")} b`, secrets)).toEqual([
      "database password",
    ]);
    expect(secretsIn(`?p=${encodeURIComponent(DB_PASSWORD)}`, secrets)).toEqual(["database password"]);
    expect([...secrets.values()].filter((secret) => secret.length < 20)).toEqual([]);
    expect(secrets.size).toBeGreaterThan(20);
  });

  it("no log, output or answer of the API holds a secret", () => {
    expect(said.get("daemon's log")).toContain("job.failed");
    expect(said.get("daemon's log")).toContain('"level":"debug"');
    expect(said.get("Master's log")).toContain("request");
    const found = [...said].flatMap(([what, text]) =>
      secretsIn(text, secrets).map((name) => `${what}: ${name}`),
    );
    expect(found).toEqual([]);
    // Tokens that live for a minute and signatures of single requests are nothing for a log either.
    const tokens = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|AWS4-HMAC-SHA256 Credential|X-Amz-Signature=(?!\[redacted])/;
    expect([...said].filter(([, text]) => tokens.test(text)).map(([what]) => what)).toEqual([]);
  });

  it("no file of either node holds one but their identities", async () => {
    const allowed = [...nodeKeys].map((name) => `identity.json: ${name}`).sort();
    expect(await secretsBelow(fleet.stateDir, secrets)).toEqual(allowed);
    expect(await secretsBelow(join(fleet.dir, "second-node"), secrets)).toEqual([]);
  });

  it("no record, message or schedule of the Master holds one; of tokens only hashes", async () => {
    const token = secrets.get("API token") ?? "";
    const hash = new Map([["hash of the API token", createHash("sha256").update(token).digest("hex")]]);
    const stackDir = join(fleet.dir, "stack");
    expect((await secretsBelow(join(stackDir, "dynamodb"), hash)).length).toBeGreaterThan(0);
    for (const service of ["dynamodb", "sqs", "scheduler"]) {
      expect(await secretsBelow(join(stackDir, service), secrets)).toEqual([]);
    }
  });
});
