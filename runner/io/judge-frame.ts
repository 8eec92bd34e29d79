// Decides whether a frame is stored as it is, where it is filled: in the packing thread, which has time for the hash of such
// a frame, while the main thread is what a backup of media waits for.
import { constants, zstdCompressSync } from "node:zlib";
import { rawFrameOf } from "#shared/format/raw-frame.ts";
import { isWorthCompressing, LEAST_SAMPLED_BYTES, sampleOf } from "../plan/compressible.ts";
import { sha256OfPieces } from "./sha256-of-pieces.ts";

/** Finds the same in a sample as the level that compresses, in less time. */
const SAMPLE_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The SHA-256 of the raw zstd frame that `plain` is to become, in hex; undefined if it is worth compressing. */
export function judgeFrame(plain: Uint8Array): string | undefined {
  if (plain.length < LEAST_SAMPLED_BYTES) return undefined;
  const sample = sampleOf(plain);
  if (isWorthCompressing(sample.length, zstdCompressSync(sample, SAMPLE_OPTIONS).length)) return undefined;
  return sha256OfPieces(rawFrameOf(plain));
}
