// Arithmetic on objects as lists of ranges of immutable part files, which is what lets copies and completed
// uploads share bytes instead of moving them. Pure.

export interface Segment {
  readonly partFile: string;
  readonly offsetBytes: number;
  readonly bytes: number;
}

export function totalBytes(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, 0);
}

/** The segments of the bytes [startBytes, startBytes + lengthBytes). Throws RangeError if they are not all there. */
export function sliceSegments(
  segments: readonly Segment[],
  startBytes: number,
  lengthBytes: number,
): Segment[] {
  if (startBytes < 0 || lengthBytes < 0 || startBytes + lengthBytes > totalBytes(segments)) {
    throw new RangeError(`bytes ${startBytes}+${lengthBytes} are not within the segments`);
  }
  const endBytes = startBytes + lengthBytes;
  const slice: Segment[] = [];
  let position = 0;
  for (const segment of segments) {
    const from = Math.max(startBytes, position);
    const to = Math.min(endBytes, position + segment.bytes);
    if (from < to) {
      slice.push({
        partFile: segment.partFile,
        offsetBytes: segment.offsetBytes + from - position,
        bytes: to - from,
      });
    }
    position += segment.bytes;
  }
  return slice;
}

/** One after the other; neighbours in the same file become one, so that copies of copies stay short lists. */
export function joinSegments(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    if (segment.bytes === 0) continue;
    const last = joined.at(-1);
    if (
      last !== undefined &&
      last.partFile === segment.partFile &&
      last.offsetBytes + last.bytes === segment.offsetBytes
    ) {
      joined[joined.length - 1] = { ...last, bytes: last.bytes + segment.bytes };
    } else {
      joined.push(segment);
    }
  }
  return joined;
}
