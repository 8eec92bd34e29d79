// The packing thread by itself, which can be started, and given the previous archive's index to read, long before it is
// known what is to be packed: neither costs a backup time while its dump is made.
import { on } from "node:events";
import { Worker } from "node:worker_threads";
import type { PackInput, PackPlace, ToPacker } from "./pack-protocol.ts";
import { workerUrl } from "./worker-url.ts";

export interface PackThread extends AsyncDisposable {
  /** What `pack` may be told to use, with the SHA-256 of these frames, in hex. Nothing happens if it was the last, too. */
  readIndex(previousIndex: Uint8Array, sha256: string): void;
  /** Looks at the site ahead of `pack`, which then packs what was seen if it is told to use the index likewise. */
  survey(place: PackPlace, usesIndex: boolean): void;
  /** Once. */
  pack(input: PackInput): void;
  /** Its messages and, at its end, the end. Rejects with the signal's reason, or what the thread died of. */
  readonly messages: AsyncIterator<unknown>;
  /** Resolves when it has ended by itself. */
  readonly exited: Promise<void>;
}

/** What the worker makes is short-lived: with V8's usual young generation the peak was 25 MB higher, and no faster. */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 8 };

export function startPackThread(signal: AbortSignal): PackThread {
  signal.throwIfAborted();
  const worker = new Worker(workerUrl("pack-worker", import.meta.url), { resourceLimits: WORKER_LIMITS });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const tell = (message: ToPacker): void => worker.postMessage(message);
  let told: string | undefined;
  return {
    readIndex(index, sha256) {
      if (told === sha256) return;
      told = sha256;
      tell({ type: "index", index });
    },
    survey: (place, usesIndex) => tell({ type: "survey", place, usesIndex }),
    pack: (input) => tell({ type: "pack", input }),
    messages: on(worker, "message", { signal, close: ["exit"] }),
    exited,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
