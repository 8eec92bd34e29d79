// Fetches the ranges of a read plan, several at a time, and cuts them into frames: the network is kept busy while the
// workers are, and what is in memory at once does not grow with the archive.
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { ReadUnit } from "../../plan/restore/plan-reads.ts";
import { copyBytes } from "../copy-bytes.ts";
import type { FrameBytes, FrameMemory } from "./frame-memory.ts";
import type { StoredFrame } from "./frame-protocol.ts";
import type { ObjectReader } from "./object-reader.ts";

export interface FetchOptions {
  readonly reader: ObjectReader;
  readonly frames: readonly FrameRecord[];
  readonly units: Iterator<ReadUnit>;
  readonly signal: AbortSignal;
  readonly memory: FrameMemory;
  /** Resolves when its frames are taken. */
  readonly work: (unit: ReadUnit, frames: AsyncIterable<StoredFrame>) => Promise<void>;
}

/** Enough to hide the storage's answer time; each holds a frame. */
const REQUESTS_AT_ONCE = 4;

/** Resolves when all is done; rejects with the first failure once nothing is at work any more. */
export async function fetchUnits(options: FetchOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const one = async (): Promise<void> => {
    for (let next = options.units.next(); next.done !== true; next = options.units.next()) {
      await options.work(next.value, framesOf(next.value, { ...options, signal }));
    }
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: REQUESTS_AT_ONCE }, () =>
      one().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  options.signal.throwIfAborted();
  failed.signal.throwIfAborted();
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** The frames of the unit that hold something wanted. */
async function* framesOf(
  unit: ReadUnit,
  { reader, frames, memory, signal }: FetchOptions,
): AsyncGenerator<StoredFrame, void, undefined> {
  const pieces = reader.read(unit.offset, unit.bytes, signal);
  let index = unit.firstFrame;
  let filled = 0;
  let stored: FrameBytes | undefined;
  let span = 0;
  for await (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      const frame = frames[index];
      if (frame === undefined) throw new Error("the plan ends before its bytes do");
      stored ??= memory.take(frame.compressedBytes);
      const part = piece.subarray(at, at + stored.length - filled);
      copyBytes(part, stored, filled);
      filled += part.length;
      at += part.length;
      if (filled < stored.length) continue;
      while ((unit.spans[span]?.to ?? Number.POSITIVE_INFINITY) <= frame.tarOffset) span += 1;
      const isWanted =
        (unit.spans[span]?.from ?? Number.POSITIVE_INFINITY) < frame.tarOffset + frame.tarBytes;
      if (isWanted) yield { frame, stored };
      else memory.giveBack(stored);
      [stored, filled, index] = [undefined, 0, index + 1];
    }
  }
}
