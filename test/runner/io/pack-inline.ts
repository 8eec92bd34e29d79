// The work of the packing thread without the thread, whose start costs more than a small tree: the same survey, planner
// and packer, for the tests that back up thousands of times. pack-worker.ts itself is in all the others.
import { judgeFrame } from "#runner/io/judge-frame.ts";
import { packPlanned, planPack, readPreviousIndex, surveyAgainst } from "#runner/io/pack-planned.ts";
import type { EntryBlock, PackSummary } from "#runner/io/pack-protocol.ts";
import type { PackOptions, PackSite } from "#runner/io/pack-site.ts";

/** As `packSite`; everything is packed when the first frame is asked for. */
export async function packInline(options: PackOptions): Promise<PackSite> {
  const planned = planPack(options, surveyAgainst(options, await readPreviousIndex(options.previousIndex)));
  const made: (Buffer | EntryBlock)[] = [];
  const indexFrames: Uint8Array[] = [];
  let summary: PackSummary | undefined;
  return {
    plan: () => Promise.resolve(planned.told),
    async *frames() {
      summary = packPlanned(options, planned, {
        sink: {
          take: () => new Uint8Array(options.frameBytes),
          put: (frame, length) => made.push(Buffer.from(frame.buffer, 0, length)),
        },
        putIndex: (frame) => indexFrames.push(frame),
        putEntries: (block) => made.push(block),
      });
      for (const each of made) {
        if ("tarEnd" in each) options.onEntries?.(each);
        else yield { bytes: each, rawSha256: judgeFrame(each), release: () => undefined };
      }
    },
    indexFrames: () => indexFrames,
    summary() {
      if (summary === undefined) throw new Error("summary() before the last frame");
      return summary;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
