// The owner's side of the packing worker: frames as they are filled, at most a fixed number of them in memory.
import { on } from "node:events";
import { Worker } from "node:worker_threads";
import { BackupError } from "#shared/errors.ts";
import type { PlainFrame } from "./compress.ts";
import type { PackInput, PackMessage, PackSummary, PackTotals } from "./pack-protocol.ts";
import type { PackPlace } from "./pack-tree.ts";

export interface PackedFrame extends PlainFrame {
  readonly release: () => void;
  /** Entries that begin in this frame. */
  readonly entries: number;
}

export interface PackSite extends AsyncDisposable {
  /** What there is to do; before the frames. @throws BackupError `archive_read_failed`; the signal's reason. */
  totals(): Promise<PackTotals>;
  /** Once only. @throws BackupError `archive_read_failed`; the signal's reason. */
  frames(): AsyncIterable<PackedFrame>;
  /** After the last frame. */
  summary(): PackSummary;
}

export interface PackOptions extends PackPlace {
  readonly frameBytes: number;
  readonly signal: AbortSignal;
}

type PackWord = Exclude<PackMessage, { type: "failed" }>;

/** Two in compression, one being filled, one on its way: more changed nothing but memory (measured). */
const BUFFERS = 5;

export function packSite(options: PackOptions): PackSite {
  options.signal.throwIfAborted();
  const gate = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const { configPath, contentDir, exclude, frameBytes } = options;
  const workerData: PackInput = { configPath, contentDir, exclude, frameBytes, buffers: BUFFERS, gate };
  const worker = new Worker(new URL("./pack-worker.ts", import.meta.url), { workerData });
  const messages: AsyncIterator<unknown> = on(worker, "message", { signal: options.signal, close: ["exit"] });
  let summary: PackSummary | undefined;

  const giveBack = (buffer: ArrayBuffer): void => {
    worker.postMessage(buffer, [buffer]);
    const counter = new Int32Array(gate);
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  };

  /** The worker's next words. Leaves with the signal's reason, or what the worker failed with. */
  const receive = async (): Promise<PackWord> => {
    try {
      const { value, done } = await messages.next();
      if (done) throw new BackupError("unexpected", { detail: "The packing thread ended without a word" });
      const [message] = value as [PackMessage];
      if (message.type === "failed") throw new BackupError(message.code, { detail: message.detail });
      return message;
    } catch (error) {
      options.signal.throwIfAborted();
      throw error;
    }
  };

  return {
    async totals() {
      const word = await receive();
      if (word.type !== "totals") throw new Error("totals() is to be asked once, before the frames");
      return word.totals;
    },
    async *frames() {
      for (;;) {
        const word = await receive();
        if (word.type === "done") {
          summary = word.summary;
          return;
        }
        if (word.type === "totals") continue;
        const { buffer, length, entries } = word;
        yield { bytes: Buffer.from(buffer, 0, length), entries, release: () => giveBack(buffer) };
      }
    },
    summary() {
      if (summary === undefined) throw new Error("summary() before the last frame");
      return summary;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
