// Lays tar entries into frames of one size: small entries share a frame, an entry that does not fit begins a new one,
// and one larger than a frame has frames to itself, so that each run of entries can later be reused on its own.

export interface FrameSink {
  /** An empty frame to fill; may wait for one to come back. */
  take(): Uint8Array;
  put(frame: Uint8Array, length: number, entries: number): void;
}

export interface FrameWriter {
  /** `bytes`: all that the entry will write. */
  beginEntry(bytes: number): void;
  write(bytes: Uint8Array): void;
  zeros(count: number): void;
  /** Free space to read into, at most `limit` bytes of it; tell `advance` how much of it was filled. */
  space(limit: number): Uint8Array;
  advance(bytes: number): void;
  endEntry(): void;
  /** The next entry begins a new frame. */
  endFrame(): void;
  /** Bytes written so far. */
  position(): number;
}

export function createFrameWriter(sink: FrameSink): FrameWriter {
  let frame: Uint8Array | undefined;
  let filled = 0;
  let entries = 0;
  let spans = false;
  let written = 0;

  const flush = (): void => {
    if (frame !== undefined && filled > 0) {
      sink.put(frame, filled, entries);
      frame = undefined;
    }
    filled = 0;
    entries = 0;
  };
  const current = (): Uint8Array => {
    if (frame !== undefined && filled === frame.length) {
      flush();
      spans = true;
    }
    frame ??= sink.take();
    return frame;
  };
  const writer: FrameWriter = {
    beginEntry(bytes) {
      if (frame !== undefined && filled + bytes > frame.length) flush();
      entries += 1;
      spans = false;
    },
    space(limit) {
      const target = current();
      return target.subarray(filled, Math.min(target.length, filled + limit));
    },
    advance(bytes) {
      filled += bytes;
      written += bytes;
    },
    write(bytes) {
      for (let offset = 0; offset < bytes.length; ) {
        const space = writer.space(bytes.length - offset);
        space.set(bytes.subarray(offset, offset + space.length));
        writer.advance(space.length);
        offset += space.length;
      }
    },
    zeros(count) {
      for (let left = count; left > 0; ) {
        const space = writer.space(left);
        space.fill(0);
        writer.advance(space.length);
        left -= space.length;
      }
    },
    endEntry() {
      if (spans) flush();
    },
    endFrame: flush,
    position: () => written,
  };
  return writer;
}
