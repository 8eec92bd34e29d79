// The index as lines: header, frames, entries. Encoding yields one line at a time; decoding is pushed block by block
// and hands each record on at once, so that an index of a million files never exists in memory as a whole.
import { isUtf8 } from "node:buffer";
import { corrupt } from "./corrupt.ts";
import { decodeEntry, encodeEntry, type IndexEntry } from "./index-entry.ts";
import { decodeFrame, encodeFrame, type FrameRecord } from "./index-frame.ts";
import { decodeHeader, encodeHeader, type IndexHeader } from "./index-header.ts";
import { createOrderCheck } from "./index-order.ts";
import { type LineCursor, scanEntry } from "./scan-entry.ts";

/** No line is longer, its newline included; a decoder refuses one that is. */
export const MAX_LINE_BYTES = 1_048_576;

const NEWLINE = 0x0a;

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
    write: ({ buffer, byteOffset, byteLength }) => {
      const block = Buffer.from(buffer, byteOffset, byteLength);
      if (!isUtf8(block)) throw corrupt("The index is not UTF-8");
      const cursor: LineCursor = { block, at: 0 };
      while (cursor.at < block.length) {
        const from = cursor.at;
        const entry = order.expects() === "entry" ? scanEntry(cursor) : undefined;
        if (entry !== undefined) {
          sink.entry(order.entry(entry));
          continue;
        }
        const to = block.indexOf(NEWLINE, from);
        if (to === -1) throw corrupt("The index is cut off within a line");
        if (to - from >= MAX_LINE_BYTES) throw corrupt("The index has an over-long line");
        line(block.toString("utf8", from, to));
        cursor.at = to + 1;
      }
    },
    end: order.end,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt("A line of the index is not JSON", cause);
  }
}
