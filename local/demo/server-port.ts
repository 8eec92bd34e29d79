// TCP ports on loopback for servers that cannot be told "any free one".
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { OwnProcess } from "../own-process.ts";

/** The server ended because somebody else listens on its port. */
export class PortTakenError extends Error {}

const READY_SECONDS = 60;
const FREE_PORT_ATTEMPTS = 5;

/** Runs `start` with `port`; with a free one when it is 0, and another if somebody was faster to take that. */
export async function withPort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  if (port !== 0) return await start(port);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

/** Waits until `server` accepts a connection; throws with the end of its log when it ends instead. */
export async function untilListening(
  server: OwnProcess,
  at: { readonly path: string } | { readonly host: string; readonly port: number },
): Promise<void> {
  const deadline = performance.now() + READY_SECONDS * 1000;
  while (!(await accepts(at))) {
    if (server.hasEnded()) await throwWhyItEnded(server);
    if (performance.now() > deadline) throw new Error(`${server.name} is not ready after ${READY_SECONDS} s`);
    await delay(10);
  }
  // Somebody else may be the one who answers on that port; ours then ends a moment later.
  if (server.hasEnded()) await throwWhyItEnded(server);
}

async function throwWhyItEnded(server: OwnProcess): Promise<never> {
  const log = (await readFile(server.logFile)).subarray(server.logStart).toString();
  const message = `${server.name} ended at its start; the end of ${server.logFile}:\n${log.slice(-1500).trim()}`;
  throw /address already in use/i.test(log) ? new PortTakenError(message) : new Error(message);
}

async function accepts(at: { path: string } | { host: string; port: number }): Promise<boolean> {
  const socket = connect(at);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no TCP port");
  return address.port;
}
