// Cuts a stream of chunks of any size into frames of one size (the last may be shorter).
import type { PlainFrame } from "./compress.ts";
import { judgeFrame } from "./judge-frame.ts";

/** `onChunk` sees every chunk in order before it is copied. */
export async function* cutFrames(
  chunks: AsyncIterable<Uint8Array>,
  frameBytes: number,
  onChunk: (chunk: Uint8Array) => void,
): AsyncGenerator<PlainFrame, void, undefined> {
  let frame = Buffer.allocUnsafeSlow(frameBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    onChunk(chunk);
    for (let offset = 0; offset < chunk.length; ) {
      const take = Math.min(frameBytes - filled, chunk.length - offset);
      frame.set(chunk.subarray(offset, offset + take), filled);
      filled += take;
      offset += take;
      if (filled < frameBytes) continue;
      yield { bytes: frame, rawSha256: judgeFrame(frame) };
      frame = Buffer.allocUnsafeSlow(frameBytes);
      filled = 0;
    }
  }
  const rest = frame.subarray(0, filled);
  if (filled > 0) yield { bytes: rest, rawSha256: judgeFrame(rest) };
}
