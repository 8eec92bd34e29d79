// The owner's side of the packing worker: frames as they are filled, at most a fixed number of them in memory.
import { hash } from "node:crypto";
import { BackupError } from "#shared/errors.ts";
import type { PlainFrame } from "./compress.ts";
import type { PlanInput } from "./pack-planned.ts";
import type { EntryBlock, PackMessage, PackPlan, PackSummary } from "./pack-protocol.ts";
import { type PackThread, startPackThread } from "./pack-thread.ts";

export interface PackedFrame extends PlainFrame {
  readonly release: () => void;
}

export interface PackSite extends AsyncDisposable {
  /** What is copied and what is packed; before the frames. @throws BackupError `archive_read_failed`; the signal's reason. */
  plan(): Promise<PackPlan>;
  /** Once only. @throws BackupError `archive_read_failed`; the signal's reason. */
  frames(): AsyncIterable<PackedFrame>;
  /** After the last frame. */
  summary(): PackSummary;
  /** Index frames with the lines of all entries, the copied ones first; after the last frame. */
  indexFrames(): readonly Uint8Array[];
}

export interface PackOptions extends PlanInput {
  /** The index frames of the archive that may be copied from, as stored. */
  readonly previousIndex?: Uint8Array;
  /** One that was started ahead, for this only. */
  readonly ahead?: PackThread | undefined;
  readonly signal: AbortSignal;
  /** Told after the frames that hold these entries, or their last byte. */
  readonly onEntries?: (block: EntryBlock) => void;
}

type PackWord = Exclude<PackMessage, { type: "failed" }>;

/** Two in compression, one being filled, one on its way: more changed nothing but memory (measured). */
const SLOTS = 5;

export function packSite(options: PackOptions): PackSite {
  options.signal.throwIfAborted();
  // Shared, not sent to and fro: V8 took each arrival for 4 MB more to collect, and 50 times per GB it did (measured: a
  // fifth of a backup's processor time).
  const frames = new SharedArrayBuffer(SLOTS * options.frameBytes);
  const gate = new Int32Array(new SharedArrayBuffer((1 + SLOTS) * Int32Array.BYTES_PER_ELEMENT));
  const { signal, ahead, previousIndex, onEntries, ...input } = options;
  const thread = ahead ?? startPackThread(signal);
  // One that was started ahead knows nothing of this job's signal, and `receive` would wait for its next word.
  if (ahead !== undefined)
    signal.addEventListener("abort", () => void ahead[Symbol.asyncDispose](), { once: true });
  if (previousIndex !== undefined) thread.readIndex(previousIndex, hash("sha256", previousIndex, "hex"));
  thread.pack({ ...input, usesIndex: previousIndex !== undefined, frames, gate: gate.buffer });
  const indexFrames: Uint8Array[] = [];
  let summary: PackSummary | undefined;

  const giveBack = (slot: number): void => {
    Atomics.store(gate, slot + 1, 0);
    Atomics.add(gate, 0, 1);
    Atomics.notify(gate, 0);
  };

  /** The worker's next words. Leaves with the signal's reason, or what the worker failed with. */
  const receive = async (): Promise<PackWord> => {
    try {
      signal.throwIfAborted();
      const { value, done } = await thread.messages.next();
      if (done) throw new BackupError("unexpected", { detail: "The packing thread ended without a word" });
      const [message] = value as [PackMessage];
      if (message.type === "failed") throw new BackupError(message.code, { detail: message.detail });
      return message;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  };

  return {
    async plan() {
      const word = await receive();
      if (word.type !== "plan") throw new Error("plan() is to be asked once, before the frames");
      return word.plan;
    },
    async *frames() {
      for (;;) {
        const word = await receive();
        if (word.type === "done") {
          summary = word.summary;
          return;
        }
        if (word.type === "index") indexFrames.push(word.frame);
        if (word.type === "entries") onEntries?.(word.block);
        if (word.type !== "frame") continue;
        const { slot, length, rawSha256 } = word;
        const bytes = Buffer.from(frames, slot * options.frameBytes, length);
        yield { bytes, rawSha256, release: () => giveBack(slot) };
      }
    },
    indexFrames: () => indexFrames,
    summary() {
      if (summary === undefined) throw new Error("summary() before the last frame");
      return summary;
    },
    async [Symbol.asyncDispose]() {
      // A thread that has said its last word ends by itself; cutting it short in just that moment is asking for trouble.
      if (summary === undefined) await thread[Symbol.asyncDispose]();
      else await thread.exited;
    },
  };
}
