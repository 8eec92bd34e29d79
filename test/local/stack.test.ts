// A stack that may choose its ports finds others when somebody is faster to take one of them; one that was told does not.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startStack } from "#local/stack.ts";
import { until } from "#test/faults/hold.ts";
import { makeTempDir, type TempDir } from "#test/local/demo/temp-dir.ts";

let dir: TempDir;
let thief: Server;
beforeEach(async () => {
  dir = await makeTempDir();
  thief = createServer();
});
afterEach(async () => {
  thief.close();
  await dir[Symbol.asyncDispose]();
});

/** Between the choice and the API's start, which comes last. */
async function stealApiPort(): Promise<number> {
  const state = await until("the chosen ports", async () => {
    const text = await readFile(join(dir.path, "stack.json"), "utf8").catch(() => "");
    return text !== "" && (JSON.parse(text) as { ports: { api: number } });
  });
  await once(thief.listen(state.ports.api, "127.0.0.1"), "listening");
  return state.ports.api;
}

it("starts on others when one of its ports has been taken since it chose them", async () => {
  const stolen = stealApiPort();
  await using stack = await startStack({ dir: dir.path, firstPort: 0 });
  expect(stack.ports.api).not.toBe(await stolen);
  expect((await fetch(`${stack.apiUrl}/api/v1/health`)).status).toBe(200);
});

it("does not leave ports that others have been told", async () => {
  const first = await startStack({ dir: dir.path, firstPort: 0 });
  await first.close();
  await once(thief.listen(first.ports.api, "127.0.0.1"), "listening");
  await expect(startStack({ dir: dir.path, firstPort: 0 })).rejects.toThrow("EADDRINUSE");
});
