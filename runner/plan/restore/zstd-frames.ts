// Finds where zstd frames begin and end (RFC 8878, section 3.1) without decompressing them: zlib's decoder stops after
// the first of several, silently, so whoever uses it has to know how many there are.
import { corrupt } from "#shared/format/corrupt.ts";

export interface FrameEvents {
  /** A data frame begins with the next bytes. */
  readonly begin: () => void;
  /** Bytes of the data frame, in order. */
  readonly data: (bytes: Uint8Array) => void;
  readonly end: () => void;
}

export interface FrameSplitter {
  /** The next bytes of the object, in pieces of any size. */
  write(bytes: Uint8Array): void;
  /** Between two frames, where an object may end. */
  isBetween(): boolean;
}

const ZSTD_MAGIC = 0xfd2f_b528;
const SKIPPABLE_MAGIC = 0x184d_2a50;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const RAW_OR_COMPRESSED = new Set([0, 2]);
const RLE = 1;

/** What is needed next: `take` collects so many bytes for its step, `pass` lets them through. */
type Need =
  | { readonly kind: "take"; readonly bytes: number; readonly next: (taken: Uint8Array) => Need }
  | { readonly kind: "pass"; bytes: number; readonly isData: boolean; readonly next: () => Need };

/** Throws `archive_corrupt` at bytes that are no zstd frame. */
export function createFrameSplitter(events: FrameEvents): FrameSplitter {
  let held: Uint8Array = new Uint8Array(0);
  let isInData = false;
  let hasChecksum = false;

  const start: Need = { kind: "take", bytes: 4, next: atMagic };
  let need: Need = start;

  function atMagic(taken: Uint8Array): Need {
    const magic = viewOf(taken).getUint32(0, true);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      return {
        kind: "take",
        bytes: 4,
        next: (size) => pass(viewOf(size).getUint32(0, true), false, () => start),
      };
    }
    if (magic !== ZSTD_MAGIC) throw corrupt("The file is not zstd, or goes on with something else");
    isInData = true;
    events.begin();
    events.data(taken);
    return { kind: "take", bytes: 1, next: atDescriptor };
  }

  function atDescriptor(taken: Uint8Array): Need {
    const descriptor = taken[0] ?? 0;
    if ((descriptor & 0x08) !== 0) throw corrupt("A zstd frame uses a reserved bit");
    const isSingleSegment = (descriptor & 0x20) !== 0;
    hasChecksum = (descriptor & 0x04) !== 0;
    const contentSize = CONTENT_SIZE_BYTES[(descriptor >> 6) & 3] ?? 0;
    const rest =
      (isSingleSegment ? 0 : 1) +
      (DICTIONARY_BYTES[descriptor & 3] ?? 0) +
      (contentSize === 0 && isSingleSegment ? 1 : contentSize);
    events.data(taken);
    return pass(rest, true, () => blockHeader);
  }

  const blockHeader: Need = { kind: "take", bytes: 3, next: atBlock };

  function atBlock(taken: Uint8Array): Need {
    const header = (taken[0] ?? 0) | ((taken[1] ?? 0) << 8) | ((taken[2] ?? 0) << 16);
    const type = (header >> 1) & 3;
    if (!RAW_OR_COMPRESSED.has(type) && type !== RLE)
      throw corrupt("A zstd frame has a block of no known type");
    events.data(taken);
    const bytes = type === RLE ? 1 : header >> 3;
    if ((header & 1) === 0) return pass(bytes, true, () => blockHeader);
    return pass(bytes + (hasChecksum ? 4 : 0), true, endFrame);
  }

  function endFrame(): Need {
    isInData = false;
    events.end();
    return start;
  }

  function pass(bytes: number, isData: boolean, next: () => Need): Need {
    return bytes === 0 ? next() : { kind: "pass", bytes, isData, next };
  }

  return {
    write(bytes) {
      let at = 0;
      while (at < bytes.length) {
        if (need.kind === "pass") {
          const piece = bytes.subarray(at, at + need.bytes);
          if (need.isData) events.data(piece);
          at += piece.length;
          need.bytes -= piece.length;
          if (need.bytes === 0) need = need.next();
          continue;
        }
        const piece = bytes.subarray(at, at + need.bytes - held.length);
        at += piece.length;
        held = held.length === 0 ? piece.slice() : Buffer.concat([held, piece]);
        if (held.length < need.bytes) continue;
        const taken = held;
        held = new Uint8Array(0);
        need = need.next(taken);
      }
    },
    isBetween: () => !isInData && need === start && held.length === 0,
  };
}

/** Whether `bytes` are exactly one data frame. */
export function isOneFrame(bytes: Uint8Array): boolean {
  let ends = 0;
  const nothing = (): void => undefined;
  const splitter = createFrameSplitter({
    begin: nothing,
    data: nothing,
    end: () => {
      ends += 1;
    },
  });
  try {
    splitter.write(bytes);
  } catch {
    return false;
  }
  return ends === 1 && splitter.isBetween();
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
