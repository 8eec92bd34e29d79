// The memory of stored frames on their way from the thread that fetches them to those that work on them, used again and again.
// Shared, not sent: V8 takes each buffer that arrives for so much more to collect, and marked the whole heap every 60 MB
// (measured: a tenth of a restore's processor time).

export type FrameBytes = Uint8Array<SharedArrayBuffer>;

export interface FrameMemory {
  take(bytes: number): FrameBytes;
  /** Nobody looks at it any more. */
  giveBack(frame: FrameBytes): void;
}

/** Most frames fit: 4 MiB, stored raw. */
const USUAL_BYTES = 4 * 1_048_576 + 4096;

export function openFrameMemory(): FrameMemory {
  const spare: SharedArrayBuffer[] = [];
  return {
    take(bytes) {
      const fits = spare.findIndex(({ byteLength }) => byteLength >= bytes);
      // One that is too small goes, so that there are never more than are in use at once.
      const [found] = spare.splice(Math.max(0, fits), 1);
      const buffer =
        found !== undefined && fits >= 0 ? found : new SharedArrayBuffer(Math.max(bytes, USUAL_BYTES));
      return new Uint8Array(buffer, 0, bytes);
    },
    giveBack: ({ buffer }) => void spare.push(buffer),
  };
}
