// The worker thread that walks, plans and packs: it reads with synchronous calls, hands filled frames to its owner,
// and sleeps while all of them are there. See pack-site.ts for the other side.
import { parentPort, workerData } from "node:worker_threads";
import { asBackupError } from "#shared/errors.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import { type CopyPlan, createCopyPlanner } from "../plan/copy/plan-copies.ts";
import type { PreviousArchive } from "../plan/copy/previous-archive.ts";
import { RACY_WINDOW_NS } from "../plan/copy/racy.ts";
import { decodeIndex } from "./decode-index.ts";
import { createEntryBlocks } from "./entry-blocks.ts";
import type { FrameSink } from "./frame-writer.ts";
import { packEntries } from "./pack-entries.ts";
import type { PackInput, PackMessage, PackPlan, PackSummary } from "./pack-protocol.ts";
import { createPackWarnings, type PackWarnings } from "./pack-warnings.ts";
import { surveySite } from "./survey-site.ts";

const port = parentPort;
if (port === null) throw new Error("pack-worker.ts is started by pack-site.ts only");
const input = workerData as PackInput;
const gate = new Int32Array(input.gate);

function post(message: PackMessage, transfer: ArrayBufferLike[] = []): void {
  port?.postMessage(message, transfer as ArrayBuffer[]);
}

const sink: FrameSink = {
  take() {
    for (;;) {
      const returns = Atomics.load(gate, 0);
      // The first that is free, so that a small site never touches the others' memory.
      const slot = gate.subarray(1).indexOf(0);
      if (slot >= 0) {
        Atomics.store(gate, slot + 1, 1);
        return new Uint8Array(input.frames, slot * input.frameBytes, input.frameBytes);
      }
      Atomics.wait(gate, 0, returns);
    }
  },
  put: (frame, length) => post({ type: "frame", slot: frame.byteOffset / input.frameBytes, length }),
};

/** Undefined where there is none, or none that can be used: the archive is then packed in full. */
async function readPrevious(): Promise<PreviousArchive | undefined> {
  if (input.previousIndex === undefined) return undefined;
  return await decodeIndex(input.previousIndex).catch(() => undefined);
}

function ownersPlan(plan: CopyPlan, isUnreadable: boolean): PackPlan {
  const { mode, counts, copied, fresh } = plan;
  return {
    mode,
    fullReason: isUnreadable ? "previous_unreadable" : plan.fullReason,
    counts,
    copied: {
      parts: copied.parts,
      bytes: copied.bytes,
      tarBytes: copied.tarBytes,
      frames: [...copied.frames()],
      database: copied.database ?? null,
    },
    freshBytes: fresh.fileBytes,
  };
}

/** Packs what is to be packed; the index lines of copied entries come first, as their bytes do. */
function pack({ copied, fresh }: CopyPlan, warnings: PackWarnings): PackSummary {
  const blocks = createEntryBlocks((frame) => post({ type: "index", frame }, [frame.buffer]));
  let [files, filesBytes, entries] = [0, 0, 0];
  const onEntry = (entry: IndexEntry): void => {
    blocks.add(entry);
    if (entry.name === copied.database?.name) return;
    entries += 1;
    if (entry.type === "f" || entry.type === "h") files += 1;
    filesBytes += entry.size;
  };
  for (const entry of copied.entries()) onEntry(entry);
  const tarOffset = copied.tarBytes;
  const { racyWindowNs = RACY_WINDOW_NS } = input;
  const bytesRead = packEntries({ place: input, fresh, tarOffset, sink, warnings, racyWindowNs, onEntry });
  blocks.end();
  const told = { warnings: warnings.list(), warningsTotal: warnings.total() };
  return { files, filesBytes, entries, bytesRead, ...told };
}

try {
  const warnings = createPackWarnings();
  const previous = await readPrevious();
  const planner = createCopyPlanner(previous);
  surveySite(input, warnings, planner.see);
  const plan = planner.plan({ ...input.limits, dumpSha256: input.dumpSha256 });
  const isUnreadable = input.previousIndex !== undefined && previous === undefined;
  post({ type: "plan", plan: ownersPlan(plan, isUnreadable) });
  post({ type: "done", summary: pack(plan, warnings) });
} catch (error) {
  const { code, message } = asBackupError(error, "archive_read_failed");
  post({ type: "failed", code, detail: message });
}
