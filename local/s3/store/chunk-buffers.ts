// Memory that objects are read into, kept from one answer to the next: with new memory for each the collector was at work
// for a third of the time that the server took to send (measured with the hundred ranges of a restore).

/** What is read at once. */
export const CHUNK_BYTES: number = 512 * 1024;
/** Two chunks that take turns: while one is being sent, the other is read into. */
export type ChunkPair = readonly [Buffer, Buffer];

const MAX_KEPT = 8;

export class ChunkBuffers {
  readonly #kept: ChunkPair[] = [];

  take(): ChunkPair {
    return this.#kept.pop() ?? [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  }

  /** Only when nobody reads or writes them any more: not after a failure. */
  giveBack(pair: ChunkPair): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(pair);
  }
}
