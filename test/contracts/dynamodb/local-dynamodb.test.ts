// The local DynamoDB keeps the contract, and what only it promises: durability and a child that never lingers.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "vitest";
import { startDynamodb } from "#local/dynamodb.ts";
import { createTable, dynamodbContract } from "./dynamodb-contract.ts";
import { exerciseElectrodb } from "./electrodb-contract.ts";

const openClient = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });

async function makeDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "dynamodb-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** Zombies count as dead: whether an orphan is reaped is up to the machine's init. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  const [, state] = / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  return state !== "Z";
}

// dynoxide is published for this platform only.
describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("dynoxide", () => {
  dynamodbContract("local", async () => {
    const dir = await makeDir();
    const server = await startDynamodb({ dataDir: dir.path, port: 0 });
    const client = openClient(server.endpoint);
    return {
      client,
      async [Symbol.asyncDispose]() {
        client.destroy();
        await server.close();
        await dir[Symbol.asyncDispose]();
      },
    };
  });

  test("ElectroDB's create, patch, query and transactions work on it", async () => {
    await using dir = await makeDir();
    await using server = await startDynamodb({ dataDir: dir.path, port: 0 });
    const client = openClient(server.endpoint);
    await createTable(client, "electro");
    await exerciseElectrodb(client, "electro");
    client.destroy();
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("what was acknowledged survives %s", async (signal) => {
    await using dir = await makeDir();
    const ended: string[] = [];
    await using before = await startDynamodb({
      dataDir: dir.path,
      port: 0,
      onCrash: (reason) => ended.push(reason),
    });
    const first = openClient(before.endpoint);
    await createTable(first, "kept");
    const Item = { pk: "p", sk: "s", text: "kept" };
    await DynamoDBDocumentClient.from(first).send(new PutCommand({ TableName: "kept", Item }));
    first.destroy();
    if (signal === "SIGKILL") {
      process.kill(before.pid, signal);
      await expect.poll(() => ended).toEqual([expect.stringContaining("SIGKILL")]);
    }
    await before.close();
    expect(isAlive(before.pid)).toBe(false);

    await using after = await startDynamodb({ dataDir: dir.path, port: 0 });
    const second = openClient(after.endpoint);
    const get = new GetCommand({ TableName: "kept", Key: { pk: "p", sk: "s" } });
    expect((await DynamoDBDocumentClient.from(second).send(get)).Item).toEqual(Item);
    second.destroy();
  });

  async function startParent(dataDir: string): Promise<{ parent: ChildProcess; pid: number; port: number }> {
    const script = `import { startDynamodb } from ${JSON.stringify(import.meta.resolve("#local/dynamodb.ts"))};
      const { pid, port } = await startDynamodb({ dataDir: process.argv[1], port: 0 });
      process.stdout.write(JSON.stringify({ pid, port }) + "\\n");
      process.stdin.on("data", () => process.exit(0));`;
    const args = ["--input-type=module", "-e", script, dataDir];
    const parent = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    return { parent, ...(JSON.parse(line.toString()) as { pid: number; port: number }) };
  }

  test("it ends with its parent's exit", async () => {
    await using dir = await makeDir();
    const { parent, pid } = await startParent(dir.path);
    parent.stdin?.write("exit\n");
    await once(parent, "exit");
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test("after kill -9 of its parent the next start ends it and takes over its port and its data", async () => {
    await using dir = await makeDir();
    const { parent, pid, port } = await startParent(dir.path);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    expect(isAlive(pid)).toBe(true);
    await using next = await startDynamodb({ dataDir: dir.path, port });
    expect(isAlive(pid)).toBe(false);
    expect(next.pid).not.toBe(pid);
  });

  test("a pid file that names another process harms nobody", async () => {
    await using dir = await makeDir();
    const bystander = spawn("sleep", ["60"]);
    await writeFile(join(dir.path, "dynamodb.pid"), `${bystander.pid}\n`);
    await using server = await startDynamodb({ dataDir: dir.path, port: 0 });
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    expect(await readFile(join(dir.path, "dynamodb.pid"), "utf8")).toBe(`${server.pid}\n`);
    bystander.kill();
    await once(bystander, "exit");
  });

  test("a dynoxide on another file is left alone", async () => {
    await using dir = await makeDir();
    await using other = await makeDir();
    await using first = await startDynamodb({ dataDir: dir.path, port: 0 });
    await writeFile(join(other.path, "dynamodb.pid"), `${first.pid}\n`);
    await using _second = await startDynamodb({ dataDir: other.path, port: 0 });
    expect(isAlive(first.pid)).toBe(true);
  });

  test("a taken port is an error in dynoxide's words, also when another DynamoDB answers there", async () => {
    await using dir = await makeDir();
    await using other = await makeDir();
    await using first = await startDynamodb({ dataDir: dir.path, port: 0 });
    await expect(startDynamodb({ dataDir: other.path, port: first.port })).rejects.toThrow(/already in use/);
  });
});

test("a platform without the binary gets an error that says what to do", async () => {
  await using dir = await makeDir();
  const script = `Object.defineProperty(process, "arch", { value: "riscv64" });
    const { startDynamodb } = await import(${JSON.stringify(import.meta.resolve("#local/dynamodb.ts"))});
    await startDynamodb({ dataDir: process.argv[1], port: 0 });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, dir.path]);
  const [message] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(message).toContain("@dynoxide/linux-riscv64 is not installed");
  expect(message).toContain("AWS_ENDPOINT_URL_DYNAMODB");
});
