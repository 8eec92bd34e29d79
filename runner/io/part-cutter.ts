// Cuts a sequence of frames into parts of exact sizes. Frames are kept by reference and joined once per part.

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

export interface PartCutter {
  /** The parts that `frame` completes. */
  add(frame: Uint8Array): Generator<Part, void, undefined>;
  /** What is left, if anything. */
  end(): Part | undefined;
}

export function createPartCutter(sizeOf: (number: number) => number): PartCutter {
  let pieces: Uint8Array[] = [];
  let filled = 0;
  let number = 1;
  const take = (): Part => {
    const part = { number, bytes: Buffer.concat(pieces, filled) };
    pieces = [];
    filled = 0;
    number += 1;
    return part;
  };
  return {
    *add(frame) {
      let rest = frame;
      while (filled + rest.length >= sizeOf(number)) {
        const bytes = sizeOf(number) - filled;
        pieces.push(rest.subarray(0, bytes));
        filled += bytes;
        rest = rest.subarray(bytes);
        yield take();
      }
      if (rest.length === 0) return;
      pieces.push(rest);
      filled += rest.length;
    },
    end: () => (filled > 0 ? take() : undefined),
  };
}
