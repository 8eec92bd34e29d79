// The index as lines: header, frames, entries. Encoding yields one line at a time; decoding is pushed block by block
// and hands each record on at once, so that an index of a million files never exists in memory as a whole.
import { corrupt } from "./corrupt.ts";
import { decodeEntry, encodeEntry, type IndexEntry } from "./index-entry.ts";
import { decodeFrame, encodeFrame, type FrameRecord } from "./index-frame.ts";
import { decodeHeader, encodeHeader, type IndexHeader } from "./index-header.ts";
import { createOrderCheck } from "./index-order.ts";

/** No line is longer, its newline included; a decoder refuses one that is. */
export const MAX_LINE_BYTES = 1_048_576;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Receives an index in its order: the header once, then every frame, then every entry. */
export interface IndexSink {
  readonly header: (header: IndexHeader) => void;
  readonly frame: (frame: FrameRecord) => void;
  readonly entry: (entry: IndexEntry) => void;
}

/** The lines of an index, each with its newline. The header's counts must be those of the iterables. */
export function* encodeIndexLines(
  header: IndexHeader,
  frames: Iterable<FrameRecord>,
  entries: Iterable<IndexEntry>,
): Generator<string> {
  yield `${encodeHeader(header)}\n`;
  let frameCount = 0;
  for (const frame of frames) {
    frameCount += 1;
    yield `${encodeFrame(frame)}\n`;
  }
  let entryCount = 0;
  for (const entry of entries) {
    entryCount += 1;
    yield `${encodeEntry(entry)}\n`;
  }
  if (frameCount !== header.frames || entryCount !== header.entries) {
    throw new RangeError("the index header does not count the frames and entries that were given");
  }
}

export interface IndexDecoder {
  /** The next block of decompressed index: whole lines. */
  readonly write: (block: Uint8Array) => void;
  /** After the last block: everything the header announced must have come. */
  readonly end: () => void;
}

/** Checks every line and that frames and entries cover the tar without gap or overlap. Throws `archive_corrupt`. */
export function createIndexDecoder(sink: IndexSink): IndexDecoder {
  const order = createOrderCheck();
  const line = (text: string): void => {
    const record = parse(text);
    switch (order.expects()) {
      case "header":
        sink.header(order.header(decodeHeader(record)));
        break;
      case "frame":
        sink.frame(order.frame(decodeFrame(record)));
        break;
      case "entry":
        sink.entry(order.entry(decodeEntry(record)));
        break;
      case "end":
        throw corrupt("The index goes on after its last entry");
    }
  };
  return {
    write: (block) => {
      const text = decodeText(block);
      let from = 0;
      while (from < text.length) {
        const to = text.indexOf("\n", from);
        if (to === -1) throw corrupt("The index is cut off within a line");
        line(text.slice(from, to));
        from = to + 1;
      }
    },
    end: order.end,
  };
}

function decodeText(block: Uint8Array): string {
  try {
    return UTF8.decode(block);
  } catch (cause) {
    throw corrupt("The index is not UTF-8", cause);
  }
}

function parse(text: string): unknown {
  // A character is at most three bytes: the exact length is asked for only where it matters.
  if (text.length * 3 >= MAX_LINE_BYTES && Buffer.byteLength(text) >= MAX_LINE_BYTES) {
    throw corrupt("The index has an over-long line");
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt("A line of the index is not JSON", cause);
  }
}
