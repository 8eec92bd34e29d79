// A job's peak memory is its own: what came before it does not count.
import { afterEach, expect, it } from "vitest";
import { freeBuffer } from "#runner/io/free-buffer.ts";
import { type PeakMemory, watchPeakMemory } from "#runner/io/peak-memory.ts";

const MIB = 1_048_576;
const BIG_BYTES = 256 * MIB;

let memory: PeakMemory | undefined;
afterEach(() => memory?.[Symbol.dispose]());

/** Uses so much memory and gives it back. */
function touch(): void {
  freeBuffer(Buffer.alloc(BIG_BYTES, 1));
}

it.runIf(process.platform === "linux")("is the kernel's, from the moment on that it is asked for", () => {
  const idle = process.memoryUsage.rss();
  touch();
  memory = watchPeakMemory();
  expect(memory.by).toBe("kernel");
  expect(memory.peakBytes()).toBeLessThan(idle + BIG_BYTES / 2);
  touch();
  expect(memory.peakBytes()).toBeGreaterThan(idle + BIG_BYTES / 2);
});

it("is looked at now and then where the kernel cannot be asked", () => {
  memory = watchPeakMemory("/nowhere");
  expect(memory.by).toBe("samples");
  const before = memory.peakBytes();
  const held = Buffer.alloc(BIG_BYTES, 1);
  expect(memory.peakBytes()).toBeGreaterThan(before + BIG_BYTES / 2);
  freeBuffer(held);
});
