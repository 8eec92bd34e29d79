// The content of a `.tar.zst` of any tool as a stream: one frame or many, decoded each on its own, because zlib's
// decoder stops after the first.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdDecompress } from "node:zlib";
import { corrupt } from "#shared/format/corrupt.ts";
import { createFrameSplitter } from "../../plan/restore/zstd-frames.ts";

/** Of the decoder's window, as `zstd -d` without options: what a frame may make us allocate. */
const MAX_WINDOW_LOG = 27;
const PIECE_BYTES = 131_072;

/** @throws BackupError `archive_corrupt`; what `stored` throws. */
export async function* unzstd(
  stored: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const frame of framesOf(stored)) {
    const decoder = createZstdDecompress({
      chunkSize: PIECE_BYTES,
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
    const fed = pipeline(Readable.from(frame, { objectMode: false }), decoder);
    fed.catch(() => undefined); // Thrown below; it must not count as unhandled before.
    try {
      yield* decoder as AsyncIterable<Uint8Array>;
      await fed;
    } catch (error) {
      throw isZlib(error)
        ? corrupt("The archive cannot be decompressed: it is damaged or cut off", error)
        : error;
    }
  }
}

type Step = { readonly kind: "begin" | "end" } | { readonly kind: "data"; readonly bytes: Uint8Array };

/** Each frame's bytes; a frame is to be read to its end before the next one is asked for. */
async function* framesOf(
  stored: AsyncIterable<Uint8Array>,
): AsyncGenerator<AsyncIterable<Uint8Array>, void, undefined> {
  const steps = stepsOf(stored);
  async function* rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let step = await steps.next(); step.done !== true; step = await steps.next()) {
      if (step.value.kind === "end") return;
      if (step.value.kind === "data") yield step.value.bytes;
    }
  }
  for (let step = await steps.next(); step.done !== true; step = await steps.next()) {
    if (step.value.kind === "begin") yield rest();
  }
}

async function* stepsOf(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Step, void, undefined> {
  let steps: Step[] = [];
  const splitter = createFrameSplitter({
    begin: () => steps.push({ kind: "begin" }),
    // The decoder is still at work on it when the next is asked for.
    data: (bytes) => steps.push({ kind: "data", bytes: Uint8Array.from(bytes) }),
    end: () => steps.push({ kind: "end" }),
  });
  for await (const piece of stored) {
    splitter.write(piece);
    yield* steps;
    steps = [];
  }
  if (!splitter.isBetween()) throw corrupt("The archive is cut off");
}

function isZlib(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return code.startsWith("Z") || code === "ERR_ZSTD_INVALID_PARAM";
}
