// Whether compressing a frame is worth it, told from a sample: media, archives and what is encrypted take most of a
// backup's processor time and come out as large as they went in.

/** Pieces of one frame, evenly spread: text anywhere in it is met by some of them. */
const PIECES = 64;
const PIECE_BYTES = 1024;
/** Of the sample; what is less is not worth the time. */
const LEAST_SAVING = 0.01;

/** A frame smaller than this is compressed without asking. */
export const LEAST_SAMPLED_BYTES = 2 * PIECES * PIECE_BYTES;

/** A copy of the pieces, one after the other. */
export function sampleOf(frame: Uint8Array): Uint8Array {
  const sample = new Uint8Array(PIECES * PIECE_BYTES);
  const stride = Math.floor((frame.length - PIECE_BYTES) / (PIECES - 1));
  for (let piece = 0; piece < PIECES; piece += 1) {
    const start = piece * stride;
    sample.set(frame.subarray(start, start + PIECE_BYTES), piece * PIECE_BYTES);
  }
  return sample;
}

export function isWorthCompressing(sampleBytes: number, compressedSampleBytes: number): boolean {
  return compressedSampleBytes <= sampleBytes * (1 - LEAST_SAVING);
}
