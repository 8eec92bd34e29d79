// Sockets that share one buffer, against a real server: whatever pauses and whoever reads beside it, every byte is right.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { oneBuffer } from "#runner/io/restore/one-buffer.ts";

const BODIES = Array.from({ length: 4 }, () => randomBytes(6_000_000));
const sha256 = (body: Buffer): string => createHash("sha256").update(body).digest("hex");

let server: Server;
let agent: Agent;
beforeEach(async () => {
  server = createServer((request, response) => response.end(BODIES[Number(request.url?.slice(1))]));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const options = { keepAlive: true, maxSockets: 4, onread: oneBuffer() };
  agent = new Agent(options);
});
afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
  server.close();
});

async function ask(path: string): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const [answer] = await once(get({ host: "127.0.0.1", port, path, agent }), "response");
  return answer as IncomingMessage;
}

/** Keeps every piece until the end, and stops for a moment after each fifth. */
async function read(answer: IncomingMessage): Promise<string> {
  const kept: Buffer[] = [];
  answer.on("data", (piece: Buffer) => {
    kept.push(piece);
    if (kept.length % 5 !== 0) return;
    answer.pause();
    void setTimeout(1).then(() => answer.resume());
  });
  await once(answer, "end");
  return sha256(Buffer.concat(kept));
}

test("four answers at once, read in fits and starts, twice over the same connections", async () => {
  for (let round = 0; round < 2; round += 1) {
    const answers = await Promise.all(BODIES.map((_, at) => ask(`/${at}`)));
    expect(await Promise.all(answers.map(read))).toEqual(BODIES.map(sha256));
  }
});

test("an answer that nobody reads yet is not lost to those that come meanwhile", async () => {
  const waiting = await ask("/0");
  expect(await read(await ask("/1"))).toBe(sha256(BODIES[1] ?? Buffer.alloc(0)));
  expect(await read(waiting)).toBe(sha256(BODIES[0] ?? Buffer.alloc(0)));
});
