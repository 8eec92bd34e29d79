// How a restore reads: several ranges at once, but never more than a few, and nothing ahead of whoever takes the frames.
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { drainPieces } from "#runner/io/restore/drain-pieces.ts";
import { fetchUnits } from "#runner/io/restore/fetch-units.ts";
import { openFrameMemory } from "#runner/io/restore/frame-memory.ts";
import type { ObjectReader } from "#runner/io/restore/object-reader.ts";
import type { ReadUnit } from "#runner/plan/restore/plan-reads.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";

const UNITS = 40;
const FRAMES_PER_UNIT = 5;
const FRAME_BYTES = 1000;
const PIECE_BYTES = 100;
const AT_ONCE = 4;

const frames: FrameRecord[] = Array.from({ length: UNITS * FRAMES_PER_UNIT }, (_, at) => ({
  offset: at * FRAME_BYTES,
  compressedBytes: FRAME_BYTES,
  tarOffset: at * FRAME_BYTES,
  tarBytes: FRAME_BYTES,
  sha256: "0".repeat(64),
}));
const units: ReadUnit[] = Array.from({ length: UNITS }, (_, id) => {
  const [from, to] = [id, id + 1].map((at) => at * FRAMES_PER_UNIT * FRAME_BYTES) as [number, number];
  const firstFrame = id * FRAMES_PER_UNIT;
  const lastFrame = firstFrame + FRAMES_PER_UNIT - 1;
  return { offset: from, bytes: to - from, firstFrame, lastFrame, spans: [{ id, from, to }] };
});

interface Counted {
  readonly reader: ObjectReader;
  openNow: number;
  openMost: number;
  bytesRead: number;
}

/** Each piece takes a turn of the loop, as from a network. */
function countedReader(): Counted {
  async function* read(
    _offset: number,
    bytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    counted.openNow += 1;
    counted.openMost = Math.max(counted.openMost, counted.openNow);
    try {
      for (let left = bytes; left > 0; left -= PIECE_BYTES) {
        await turn();
        signal.throwIfAborted();
        counted.bytesRead += PIECE_BYTES;
        yield Buffer.alloc(PIECE_BYTES);
      }
    } finally {
      counted.openNow -= 1;
    }
  }
  const counted: Counted = {
    openNow: 0,
    openMost: 0,
    bytesRead: 0,
    reader: {
      label: "an archive",
      sizeBytes: frames.length * FRAME_BYTES,
      read,
      pour: (offset, bytes, signal, take) => drainPieces(read(offset, bytes, signal), take),
      traffic: () => ({ requests: 0, bytes: 0 }),
      [Symbol.asyncDispose]: async () => undefined,
    },
  };
  return counted;
}

const signal = new AbortController().signal;

test("four ranges are read at once, however many there are, and every frame comes", async () => {
  const counted = countedReader();
  let taken = 0;
  await fetchUnits({
    reader: counted.reader,
    frames,
    units: units.values(),
    signal,
    memory: openFrameMemory(),
    begin: () => ({
      frame({ frame }) {
        taken += frame.compressedBytes;
        return undefined;
      },
      end: () => undefined,
    }),
  });
  expect(counted).toMatchObject({ openMost: AT_ONCE, openNow: 0 });
  expect(taken).toBe(frames.length * FRAME_BYTES);
});

test("what nobody takes is not read: a frame for each of the four ranges is all that memory holds", async () => {
  const counted = countedReader();
  const slow = Promise.withResolvers<void>();
  let frameCount = 0;
  const fetching = fetchUnits({
    reader: counted.reader,
    frames,
    units: units.values(),
    signal,
    memory: openFrameMemory(),
    begin: () => ({
      frame() {
        frameCount += 1;
        return slow.promise;
      },
      end: () => undefined,
    }),
  });
  while (frameCount < AT_ONCE) await turn();
  for (let turns = 0; turns < 1000; turns += 1) await turn();
  expect([frameCount, counted.bytesRead]).toEqual([AT_ONCE, AT_ONCE * FRAME_BYTES]);
  slow.resolve();
  await fetching;
  expect(counted.bytesRead).toBe(frames.length * FRAME_BYTES);
});

test("a failure ends all of them", async () => {
  const counted = countedReader();
  const failing = fetchUnits({
    reader: counted.reader,
    frames,
    units: units.values(),
    signal,
    memory: openFrameMemory(),
    begin: ({ firstFrame }) => ({
      frame() {
        if (firstFrame === 2 * FRAMES_PER_UNIT) throw new Error("a bad frame");
        return undefined;
      },
      end: () => undefined,
    }),
  });
  await expect(failing).rejects.toThrow("a bad frame");
  expect(counted.openNow).toBe(0);
  expect(counted.bytesRead).toBeLessThan(frames.length * FRAME_BYTES);
});
