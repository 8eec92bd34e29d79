// Whether a file's beginning looks like encrypted data: as random as only compressed data is, and yet of no format that is
// compressed. Files that become so, many of them, are how ransomware looks, also where it is slow. Pure.

/** Fewer bytes cannot tell; more tell nothing new. */
export const HEAD_BYTES = 1024;
/** Bits per byte. So many random bytes have 7.8 of 8, text has 4 to 6, base64 has 6. */
const RANDOM_BITS = 7.4;

const text = (words: string): readonly number[] => Array.from(words, (char) => char.charCodeAt(0));

/** What files of compressed formats begin with, and at which byte. */
const MARKS: readonly (readonly [at: number, bytes: readonly number[]])[] = [
  [0, [0xff, 0xd8, 0xff]], // JPEG
  [0, [0x89, ...text("PNG")]],
  [0, text("GIF8")],
  [0, text("RIFF")], // WebP, WAV, AVI
  [0, text("PK")], // ZIP, office documents
  [0, text("%PDF")],
  [0, [0x1f, 0x8b]], // gzip
  [0, text("BZh")],
  [0, [0xfd, ...text("7zXZ")]],
  [0, [0x28, 0xb5, 0x2f, 0xfd]], // zstd
  [0, [0x04, 0x22, 0x4d, 0x18]], // LZ4
  [0, text("7z")],
  [0, text("Rar!")],
  [0, text("wOF")], // Web fonts
  [0, text("OggS")],
  [0, text("fLaC")],
  [0, text("ID3")],
  [0, [0xff, 0xfb]], // MPEG audio
  [0, [0xff, 0xf3]],
  [0, [0xff, 0xf1]], // AAC
  [0, [0x1a, 0x45, 0xdf, 0xa3]], // Matroska, WebM
  [0, [0x00, 0x00, 0x01]], // Icons, MPEG video
  [0, text("FLV")],
  [0, text("CWS")],
  [0, text("8BPS")],
  [0, [0xff, 0x0a]], // JPEG XL
  [0, [0xff, 0x4f, 0xff, 0x51]], // JPEG 2000
  [4, text("ftyp")], // MP4, AVIF, HEIC
  [4, text("jP")],
  [257, text("ustar")],
  // Encrypted on purpose, by tools that say so.
  [0, text("age-encryption.org")],
  [0, text("Salted__")],
];

/** By their first byte, since every file is asked. */
const MARKS_AT_0 = Map.groupBy(
  MARKS.filter(([at]) => at === 0).map(([, bytes]) => bytes),
  ([first = 0]) => first,
);
const MARKS_LATER = MARKS.filter(([at]) => at > 0);

/** What a byte that is there so often adds to the bits per byte. */
const BITS_BY_COUNT = Float64Array.from({ length: HEAD_BYTES + 1 }, (_, count) =>
  count === 0 ? 0 : -(count / HEAD_BYTES) * Math.log2(count / HEAD_BYTES),
);

/** `head`: the first bytes of a file. */
export function looksGarbled(head: Uint8Array): boolean {
  return head.length >= HEAD_BYTES && bitsPerByte(head) > RANDOM_BITS && !isMarked(head);
}

function bitsPerByte(head: Uint8Array): number {
  const counts = new Uint16Array(256);
  for (let at = 0; at < HEAD_BYTES; at += 1) {
    const byte = head[at] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  let bits = 0;
  for (let byte = 0; byte < 256; byte += 1) bits += BITS_BY_COUNT[counts[byte] ?? 0] ?? 0;
  return bits;
}

function isMarked(head: Uint8Array): boolean {
  const hasAt = (at: number, bytes: readonly number[]): boolean =>
    bytes.every((byte, index) => head[at + index] === byte);
  const candidates = MARKS_AT_0.get(head[0] ?? 0) ?? [];
  return candidates.some((bytes) => hasAt(0, bytes)) || MARKS_LATER.some(([at, bytes]) => hasAt(at, bytes));
}
