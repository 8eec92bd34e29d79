// How large each part of a multipart upload is. S3 takes 10,000 parts of 5 MiB to 5 GiB, and some stores (R2) want all
// but the last to be of one size: so one size, chosen from what is expected, and growth only for what nobody expected.

const MIB = 1_048_576;
export const MAX_PARTS = 10_000;
export const MIN_PART_BYTES: number = 5 * MIB;
export const MAX_PART_BYTES: number = 5_120 * MIB;
export const MAX_OBJECT_BYTES: number = 5 * 1_048_576 * MIB;
/** Under it, requests cost more time than they save memory; and with whole frames of 4 MiB none stays under 5 MiB. */
export const USUAL_PART_BYTES: number = 10 * MIB;
/** Of the parts that an upload may have: so many are of one size, and after so many more the size doubles. */
const EQUAL_SHARE = 1 / 2;
const DOUBLING_SHARE = 1 / 20;

/** The size of the first of at most `parts` parts, for data that should not become more than `expectedBytes`. */
export function firstPartBytes(expectedBytes: number, parts: number = MAX_PARTS): number {
  const wholeMib = Math.ceil(expectedBytes / (parts * EQUAL_SHARE) / MIB) * MIB;
  return Math.min(MAX_PART_BYTES, Math.max(USUAL_PART_BYTES, wholeMib));
}

/** Part `number` of `parts` counts from 1. With all 10,000, any object up to 5 TiB fits, whatever was expected. */
export function partBytes(number: number, firstBytes: number, parts: number = MAX_PARTS): number {
  const beyond = number - parts * EQUAL_SHARE;
  const doublings = beyond <= 0 ? 0 : Math.ceil(beyond / (parts * DOUBLING_SHARE));
  return Math.min(MAX_PART_BYTES, firstBytes * 2 ** doublings);
}

/** How many parts to send at once, so that they fit in `memoryBytes`. */
export function partsAtOnce(partSize: number, most: number, memoryBytes: number): number {
  return Math.max(1, Math.min(most, Math.floor(memoryBytes / partSize)));
}
