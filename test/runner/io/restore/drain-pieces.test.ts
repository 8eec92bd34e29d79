// Pieces as they come from a real socket: all of them, no faster than they are taken, and every end is an end.
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { drainPieces, freeingPieces } from "#runner/io/restore/drain-pieces.ts";

const CONTENT = Buffer.alloc(8 * 1_048_576, "0123456789abcdef\n");

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function answer(write: (response: ServerResponse) => void): Promise<IncomingMessage> {
  const listening = createServer((_request, response) => write(response)).listen(0, "127.0.0.1");
  server = listening;
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  const [response] = (await once(get({ host: "127.0.0.1", port }), "response")) as [IncomingMessage];
  return response;
}

const whole = (response: ServerResponse): void => void response.end(CONTENT);

test("every byte comes, in order, and a piece's memory is gone once it is taken", async () => {
  const taken: Buffer[] = [];
  const pieces: Uint8Array[] = [];
  await drainPieces(await answer(whole), (piece) => {
    pieces.push(piece);
    taken.push(Buffer.from(piece));
    return undefined;
  });
  expect(Buffer.concat(taken).equals(CONTENT)).toBe(true);
  expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(0);
});

test("nothing more comes, and nothing is gone, until what is being taken is taken", async () => {
  const taken: Buffer[] = [];
  let atOnce = 0;
  let most = 0;
  await drainPieces(await answer(whole), (piece) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    if (taken.length % 7 !== 0) {
      taken.push(Buffer.from(piece));
      atOnce -= 1;
      return undefined;
    }
    return setTimeout(1).then(() => {
      taken.push(Buffer.from(piece));
      atOnce -= 1;
    });
  });
  expect(most).toBe(1);
  expect(Buffer.concat(taken).equals(CONTENT)).toBe(true);
});

test("the end waits for the last piece, also if all of them had come before anybody took one", async () => {
  const small = await answer((response) => void response.end("all of it"));
  await setTimeout(20);
  let taken = "";
  await drainPieces(small, (piece) =>
    setTimeout(20).then(() => {
      taken += Buffer.from(piece).toString();
    }),
  );
  expect(taken).toBe("all of it");
});

test("a connection that is cut, an answer that is destroyed and a piece that cannot be taken are errors", async () => {
  const cut = await answer((response) => {
    response.setHeader("content-length", CONTENT.length);
    response.write(CONTENT.subarray(0, 100_000), () => response.destroy());
  });
  await expect(drainPieces(cut, () => undefined)).rejects.toMatchObject({ code: "ECONNRESET" });

  const destroyed = await answer(whole);
  const draining = drainPieces(destroyed, () => undefined);
  destroyed.destroy();
  await expect(draining).rejects.toThrow();

  const thrown = drainPieces(await answer(whole), () => {
    throw new Error("a bad frame");
  });
  await expect(thrown).rejects.toThrow("a bad frame");
  const rejected = drainPieces(await answer(whole), () => Promise.reject(new Error("a slow bad frame")));
  await expect(rejected).rejects.toThrow("a slow bad frame");
});

test("what is no stream is taken as well, and its memory is left alone", async () => {
  const piece = Buffer.allocUnsafeSlow(1000).fill(7);
  const taken: number[] = [];
  const pieces = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield piece;
    yield piece;
  };
  await drainPieces(pieces(), ({ length }) => void taken.push(length));
  for await (const { length } of freeingPieces(pieces())) taken.push(length);
  expect(taken).toEqual([1000, 1000, 1000, 1000]);
  expect(piece.length).toBe(1000);
});
