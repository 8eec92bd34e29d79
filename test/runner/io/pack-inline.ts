// The work of the packing thread without the thread, whose start costs more than a small tree: the same survey, planner
// and packer, for the tests that back up thousands of times. pack-worker.ts itself is in all the others.
import { decodeIndex } from "#runner/io/decode-index.ts";
import { createEntryBlocks } from "#runner/io/entry-blocks.ts";
import { packEntries } from "#runner/io/pack-entries.ts";
import type { PackPlan } from "#runner/io/pack-protocol.ts";
import type { PackOptions, PackSite } from "#runner/io/pack-site.ts";
import { createPackWarnings } from "#runner/io/pack-warnings.ts";
import { surveySite } from "#runner/io/survey-site.ts";
import { createCopyPlanner } from "#runner/plan/copy/plan-copies.ts";
import { RACY_WINDOW_NS } from "#runner/plan/copy/racy.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";

/** As `packSite`; everything is packed when the first frame is asked for. */
export async function packInline(options: PackOptions): Promise<PackSite> {
  const warnings = createPackWarnings();
  const { previousIndex } = options;
  const previous = previousIndex === undefined ? undefined : await decodeIndex(previousIndex);
  const planner = createCopyPlanner(previous);
  surveySite(options, warnings, planner.see);
  const plan = planner.plan({ ...options.limits, dumpSha256: options.dumpSha256 });
  const { copied, fresh, mode, fullReason, counts } = plan;
  const frames: Buffer[] = [];
  const indexFrames: Uint8Array[] = [];
  let entries = 0;
  let bytesRead = 0;

  const packAll = (): void => {
    const blocks = createEntryBlocks((frame) => indexFrames.push(frame));
    const onEntry = (entry: IndexEntry): void => {
      blocks.add(entry);
      if (entry.name !== copied.database?.name) entries += 1;
    };
    for (const entry of copied.entries()) onEntry(entry);
    bytesRead = packEntries({
      place: options,
      fresh,
      tarOffset: copied.tarBytes,
      sink: {
        take: () => new Uint8Array(options.frameBytes),
        put: (frame, length) => frames.push(Buffer.from(frame.buffer, 0, length)),
      },
      warnings,
      racyWindowNs: options.racyWindowNs ?? RACY_WINDOW_NS,
      onEntry,
    });
    blocks.end();
  };
  const ownersPlan: PackPlan = {
    mode,
    fullReason,
    counts,
    copied: { ...copied, frames: [...copied.frames()], database: copied.database ?? null },
    freshBytes: fresh.fileBytes,
  };
  return {
    plan: () => Promise.resolve(ownersPlan),
    async *frames() {
      packAll();
      for (const bytes of frames) yield { bytes, release: () => undefined };
    },
    indexFrames: () => indexFrames,
    summary: () => ({
      files: 0,
      filesBytes: 0,
      entries,
      bytesRead,
      warnings: warnings.list(),
      warningsTotal: warnings.total(),
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
