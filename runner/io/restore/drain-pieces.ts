// Takes the pieces of an answer as they come. From a socket without a promise for each of them: a gigabyte comes in 16,000
// pieces, and with three asynchronous iterators one above the other they took a quarter of a restore's processor time, for
// the promises and for the collector, whom each piece outlived (measured).
import { Readable } from "node:stream";
import { freeBuffer } from "../free-buffer.ts";

/** Must be done with the piece, or with what it returns, before the memory is gone. Undefined: the next may come. */
export type TakePiece = (piece: Uint8Array) => Promise<void> | undefined;

/** Resolves after the last piece. @throws what `take` throws; what the source does. */
export async function drainPieces(pieces: AsyncIterable<Uint8Array>, take: TakePiece): Promise<void> {
  if (pieces instanceof Readable) return await drainStream(pieces, take);
  for await (const piece of pieces) await take(piece);
}

/** The same pieces, each of a socket's gone when the next is asked for: the collector would let 60 to 120 MB lie around. */
export async function* freeingPieces(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    yield piece;
    if (pieces instanceof Readable) freeBuffer(piece);
  }
}

async function drainStream(stream: Readable, take: TakePiece): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    stream.destroy();
    reject(error);
  };
  let taking: Promise<void> | undefined;
  stream.on("data", (piece: Uint8Array) => {
    try {
      taking = take(piece)?.then(() => {
        freeBuffer(piece);
        stream.resume();
      }, fail);
      if (taking === undefined) freeBuffer(piece);
      else stream.pause();
    } catch (error) {
      fail(error);
    }
  });
  // A pause does not hold it back if the last piece was there when it began.
  stream.once("end", () => void (taking ?? Promise.resolve()).then(resolve));
  stream.once("error", reject);
  stream.once("close", () => {
    if (!stream.readableEnded) reject(new Error("the answer ended before its time"));
  });
  await promise;
}
