// DynamoDB on loopback: the dynoxide binary (SQLite underneath) as a child that lives and dies with us.
//
// A parent that is killed with -9 cannot end its child, and two processes must not write one database file:
// so the child's pid is kept beside the file, and a start first ends what an earlier crash left behind, after
// it made sure in /proc that this pid still is a dynoxide working on this very file.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdir, readFile, readlink, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const READY_MS = 10_000;
const POLL_MS = 20;
const END_MS = 5_000;
/** Kept from dynoxide's output for the error when it does not start. */
const LOG_CHARACTERS = 4_000;

export interface DynamodbOptions {
  /** Holds dynamodb.sqlite; made if it is not there. */
  readonly dataDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Called when dynoxide ends without being told to. */
  readonly onCrash?: (reason: string) => void;
}

export interface RunningDynamodb extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

export async function startDynamodb(options: DynamodbOptions): Promise<RunningDynamodb> {
  const binary = findBinary();
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const databasePath = join(dataDir, "dynamodb.sqlite");
  const pidPath = join(dataDir, "dynamodb.pid");
  await endLeftover(pidPath, databasePath);

  const port = options.port === 0 ? await findFreePort() : options.port;
  const endpoint = `http://127.0.0.1:${port}`;
  const args = ["serve", "--host", "127.0.0.1", "--port", String(port), "--db-path", databasePath];
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = collectOutput(child);
  // Now, so that no kill -9 of ours falls between the child's birth and the note of it.
  if (child.pid !== undefined) writeFileSync(pidPath, `${child.pid}\n`);
  // A child that could not be made is reported by the wait for "spawn" below.
  const exited = once(child, "exit").catch(() => undefined);
  // An ordinary exit of this process takes the child along; after kill -9 the pid file does.
  const endWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", endWithUs);
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    process.off("exit", endWithUs);
    await endChild(child, exited);
    await rm(pidPath, { force: true });
  };
  // Once: a second close must not take away the pid file of a successor.
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  try {
    await once(child, "spawn");
    await waitUntilReady(endpoint, child, output);
    child.once("exit", (code, signal) => {
      if (!closing) options.onCrash?.(`dynoxide ended (${signal ?? `exit code ${code}`}): ${output()}`);
    });
    return { endpoint, port, pid: child.pid ?? Number.NaN, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function findBinary(): string {
  const packageName = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${packageName}/dynoxide`);
  } catch (cause) {
    throw new Error(
      `The local DynamoDB has no program for ${process.platform}-${process.arch} (${packageName} is not installed). ` +
        "Run the local stack on linux-x64, or set AWS_ENDPOINT_URL_DYNAMODB to a DynamoDB that you run yourself.",
      { cause },
    );
  }
}

/** Ends the dynoxide of an earlier process on this file, if it still runs; anything else with its pid is left alone. */
async function endLeftover(pidPath: string, databasePath: string): Promise<void> {
  const pid = Number(await readFile(pidPath, "utf8").catch(nothingIfMissing));
  if (!Number.isInteger(pid) || pid <= 0) return;
  if (await isOurDynoxide(pid, databasePath)) {
    process.kill(pid, "SIGTERM");
    const until = performance.now() + END_MS;
    while (await isOurDynoxide(pid, databasePath)) {
      if (performance.now() > until) process.kill(pid, "SIGKILL");
      await sleep(POLL_MS);
    }
  }
  await rm(pidPath, { force: true });
}

async function isOurDynoxide(pid: number, databasePath: string): Promise<boolean> {
  const program = await readlink(`/proc/${pid}/exe`).catch(nothingIfMissing);
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(nothingIfMissing);
  // The kernel appends " (deleted)" when the package was updated meanwhile.
  return basename(program).split(" ")[0] === "dynoxide" && command.split("\0").includes(databasePath);
}

/** A process that has gone, or is another user's, is not ours. */
function nothingIfMissing(error: NodeJS.ErrnoException): string {
  if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code ?? "")) return "";
  throw error;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Asks a real question until it is answered; throws with dynoxide's own words if it ends or takes too long. */
async function waitUntilReady(endpoint: string, child: ChildProcess, output: () => string): Promise<void> {
  const until = performance.now() + READY_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The local DynamoDB did not start: ${output()}`);
    }
    // Its own word first: on a taken port somebody else would answer.
    if (/\blistening\b/i.test(output()) && (await answers(endpoint))) return;
    if (performance.now() > until) throw new Error(`The local DynamoDB does not answer: ${output()}`);
    await sleep(POLL_MS);
  }
}

async function answers(endpoint: string): Promise<boolean> {
  const credential = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request";
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.ListTables",
    "x-amz-date": "20260101T000000Z",
    authorization: `${credential}, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
  };
  try {
    const signal = AbortSignal.timeout(1000);
    const response = await fetch(endpoint, { method: "POST", headers, body: "{}", signal });
    const answer = (await response.json()) as { TableNames?: unknown };
    return Array.isArray(answer.TableNames);
  } catch {
    // Not listening yet; waitUntilReady has the deadline.
    return false;
  }
}

function collectOutput(child: ChildProcess): () => string {
  let text = "";
  const collect = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-LOG_CHARACTERS);
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  return () => text.trim();
}

/** SIGTERM lets dynoxide fold its write-ahead log into the file; what does not end by it is killed. */
async function endChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await exited;
  clearTimeout(timer);
}
