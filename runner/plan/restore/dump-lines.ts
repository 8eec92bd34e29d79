// Goes through a database dump line by line, however long the lines, and lets the caller keep, drop or change each by
// its beginning. Dump programs escape line breaks within values, so a line's beginning says what the line is.

/** Bytes of a line that are looked at; the rest of a row of 100 MB passes by unseen. */
const HEAD_BYTES = 1024;
const LINE_FEED = 10;
const NOTHING: Buffer = Buffer.alloc(0);

export interface DumpLine {
  /** The line's beginning, one character per byte, without the line break. */
  readonly head: string;
  /** The last characters of the line before, which say whether a statement ended there. */
  readonly endBefore: string;
}

/** `true` keeps the line, `false` drops it, a text replaces its head (as given, one character per byte). */
export type LineVerdict = boolean | string;

export async function* mapDumpLines(
  chunks: AsyncIterable<Uint8Array>,
  judge: (line: DumpLine) => LineVerdict,
): AsyncGenerator<Uint8Array, void, undefined> {
  const mapper = createMapper(judge);
  for await (const chunk of chunks) yield* mapper.push(chunk);
  yield* mapper.end();
}

interface Mapper {
  push(chunk: Uint8Array): Generator<Uint8Array, void, undefined>;
  end(): Generator<Uint8Array, void, undefined>;
}

function createMapper(judge: (line: DumpLine) => LineVerdict): Mapper {
  /** The beginning of a line that is too short yet to be judged. */
  let carried = NOTHING;
  /** Of the line that we are in the middle of. */
  let verdict: boolean | undefined;
  let end = "";

  function* pass(data: Buffer, isLast: boolean): Generator<Uint8Array, void, undefined> {
    let at = 0;
    let keptFrom = 0;
    while (at < data.length) {
      const lineFeed = data.indexOf(LINE_FEED, at);
      const lineEnd = lineFeed < 0 ? data.length : lineFeed + 1;
      if (verdict === undefined) {
        if (lineFeed < 0 && !isLast && lineEnd - at < HEAD_BYTES) break;
        const headEnd = Math.min(lineFeed < 0 ? lineEnd : lineFeed, at + HEAD_BYTES);
        const judged = judge({ head: data.toString("latin1", at, headEnd), endBefore: end });
        end = "";
        verdict = judged !== false;
        if (judged !== true) {
          if (keptFrom < at) yield data.subarray(keptFrom, at);
          if (typeof judged === "string") yield Buffer.from(judged, "latin1");
          keptFrom = headEnd;
        }
        if (judged === false) keptFrom = lineEnd;
      } else if (!verdict) {
        keptFrom = lineEnd;
      }
      end = lastCharacters(end, data, at, lineFeed < 0 ? lineEnd : lineFeed);
      at = lineEnd;
      if (lineFeed >= 0) verdict = undefined;
    }
    if (keptFrom < at) yield data.subarray(keptFrom, at);
    carried = data.subarray(at);
  }

  return {
    *push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      yield* pass(carried.length === 0 ? bytes : Buffer.concat([carried, bytes]), false);
      // The caller may use the chunk's memory again.
      carried = Buffer.from(carried);
    },
    *end() {
      yield* pass(carried, true);
    },
  };
}

function lastCharacters(before: string, data: Buffer, from: number, to: number): string {
  return (before + data.toString("latin1", Math.max(from, to - 4), to)).trimEnd().slice(-4);
}
