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
  /** Once only. @throws BackupError `archive_read_failed`; the signal's reason. */
  frames(): AsyncIterable<PackedFrame>;
  /** After the last frame. */
  summary(): PackSummary;
}

export interface PackOptions extends PackPlace {
  readonly frameBytes: number;
  readonly signal: AbortSignal;
  /** Before the first frame: what there is to do. */
  readonly onTotals?: (totals: PackTotals) => void;
}

/** Two in compression, one being filled, one on its way: more changed nothing but memory (measured). */
const BUFFERS = 5;

export function packSite(options: PackOptions): PackSite {
  options.signal.throwIfAborted();
  const gate = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const { configPath, contentDir, exclude, frameBytes } = options;
  const workerData: PackInput = { configPath, contentDir, exclude, frameBytes, buffers: BUFFERS, gate };
  const worker = new Worker(new URL("./pack-worker.ts", import.meta.url), { workerData });
  const messages = on(worker, "message", { signal: options.signal, close: ["exit"] });
  let summary: PackSummary | undefined;

  const giveBack = (buffer: ArrayBuffer): void => {
    worker.postMessage(buffer, [buffer]);
    const counter = new Int32Array(gate);
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  };

  return {
    async *frames() {
      try {
        for await (const [message] of messages as AsyncIterable<[PackMessage]>) {
          if (message.type === "totals") options.onTotals?.(message.totals);
          else if (message.type === "failed") throw new BackupError(message.code, { detail: message.detail });
          else if (message.type === "done") {
            summary = message.summary;
            return;
          } else {
            const { buffer, length, entries } = message;
            yield { bytes: Buffer.from(buffer, 0, length), entries, release: () => giveBack(buffer) };
          }
        }
      } catch (error) {
        options.signal.throwIfAborted();
        throw error;
      }
      options.signal.throwIfAborted();
      throw new BackupError("unexpected", { detail: "The packing thread ended without a word" });
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
