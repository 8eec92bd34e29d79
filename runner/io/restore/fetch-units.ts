// Fetches the ranges of a read plan, several at a time, and cuts them into frames: the network is kept busy while the
// workers are, and what is in memory at once does not grow with the archive.
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { ReadUnit } from "../../plan/restore/plan-reads.ts";
import { copyBytes } from "../copy-bytes.ts";
import type { TakePiece } from "./drain-pieces.ts";
import type { FrameBytes, FrameMemory } from "./frame-memory.ts";
import type { StoredFrame } from "./frame-protocol.ts";
import type { ObjectReader } from "./object-reader.ts";

/** Whoever works on the frames of a unit. */
export interface FrameTaker {
  /** In order. Undefined: the next may come; else when it may. */
  frame(stored: StoredFrame): Promise<void> | undefined;
  /** No more comes. */
  end(): void;
}

export interface FetchOptions {
  readonly reader: ObjectReader;
  readonly frames: readonly FrameRecord[];
  readonly units: Iterator<ReadUnit>;
  readonly signal: AbortSignal;
  readonly memory: FrameMemory;
  readonly begin: (unit: ReadUnit) => FrameTaker;
}

/** Enough to hide the storage's answer time; each holds a frame. */
const REQUESTS_AT_ONCE = 4;

/** Resolves when all is taken; rejects with the first failure once nothing is at work any more. */
export async function fetchUnits(options: FetchOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const one = async (): Promise<void> => {
    for (let next = options.units.next(); next.done !== true; next = options.units.next()) {
      const { offset, bytes } = next.value;
      const taker = options.begin(next.value);
      const cut = frameCutter(next.value, taker, options);
      await options.reader.pour(offset, bytes, signal, failingTo(failed, cut));
      taker.end();
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

/** What goes wrong with a frame is no fault of the source, and ends everything. */
function failingTo(failed: AbortController, take: TakePiece): TakePiece {
  const fail = (error: unknown): never => {
    failed.abort(error);
    throw error;
  };
  return (piece) => {
    try {
      return take(piece)?.catch(fail);
    } catch (error) {
      return fail(error);
    }
  };
}

/** Cuts a unit's bytes into those of its frames that hold something wanted. */
function frameCutter(
  unit: ReadUnit,
  taker: FrameTaker,
  { frames, memory }: Pick<FetchOptions, "frames" | "memory">,
): TakePiece {
  let index = unit.firstFrame;
  let filled = 0;
  let stored: FrameBytes | undefined;
  let span = 0;

  const hand = (frame: FrameRecord, whole: FrameBytes): Promise<void> | undefined => {
    while ((unit.spans[span]?.to ?? Number.POSITIVE_INFINITY) <= frame.tarOffset) span += 1;
    const isWanted = (unit.spans[span]?.from ?? Number.POSITIVE_INFINITY) < frame.tarOffset + frame.tarBytes;
    if (isWanted) return taker.frame({ frame, stored: whole });
    memory.giveBack(whole);
    return undefined;
  };
  const take = (piece: Uint8Array): Promise<void> | undefined => {
    let at = 0;
    while (at < piece.length) {
      const frame = frames[index];
      if (frame === undefined) throw new Error("the plan ends before its bytes do");
      stored ??= memory.take(frame.compressedBytes);
      const length = Math.min(piece.length - at, stored.length - filled);
      copyBytes(piece, stored, filled, at, at + length);
      filled += length;
      at += length;
      if (filled < stored.length) continue;
      const handing = hand(frame, stored);
      [stored, filled, index] = [undefined, 0, index + 1];
      if (handing !== undefined) return handing.then(() => take(piece.subarray(at)));
    }
    return undefined;
  };
  return take;
}
