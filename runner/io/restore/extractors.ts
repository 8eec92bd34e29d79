// The owner's side of the extracting workers: hands each the frames of its units, never more than it can hold, and
// turns the first failure of any of them into everybody's.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { BackupError } from "#shared/errors.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { workerFile } from "../worker-file.ts";
import type { ExtractInput, FromExtractor, LateStep, ToExtractor, UnitFile } from "./extract-protocol.ts";

export interface UnitInWork {
  /** In order; resolves when the worker can take more. */
  frame(frame: FrameRecord, stored: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Resolves when all files of the unit are there. */
  end(): Promise<void>;
}

export interface Extractors extends AsyncDisposable {
  begin(files: readonly UnitFile[]): UnitInWork;
  late(steps: readonly LateStep[]): Promise<void>;
  /** Aborts with the first failure's BackupError, or the caller's signal's reason. */
  readonly signal: AbortSignal;
}

export interface ExtractorsOptions extends ExtractInput {
  readonly signal: AbortSignal;
  readonly onFrame: (tarBytes: number) => void;
}

/** More write no faster: they meet in the file system. */
const MAX_WORKERS = 4;
/** One in work, one waiting. */
const FRAMES_PER_WORKER = 2;

interface Hand {
  readonly worker: Worker;
  units: number;
  frames: number;
  readonly waiting: (() => void)[];
}

export function startExtractors(options: ExtractorsOptions): Extractors {
  options.signal.throwIfAborted();
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const onDone = new Map<number | "late", () => void>();
  const input: ExtractInput = { root: options.root };
  let units = 0;

  const receive = (hand: Hand, message: FromExtractor): void => {
    switch (message.type) {
      case "frame-done":
        hand.frames -= 1;
        hand.waiting.shift()?.();
        options.onFrame(message.tarBytes);
        break;
      case "unit-done":
        hand.units -= 1;
        onDone.get(message.unit)?.();
        onDone.delete(message.unit);
        break;
      case "late-done":
        onDone.get("late")?.();
        break;
      case "failed":
        failure.abort(new BackupError(message.code, { detail: message.detail }));
        break;
    }
  };
  const hire = (): Hand => {
    const worker = new Worker(workerFile(import.meta.url, "extract-worker"), { workerData: input });
    const hand: Hand = { worker, units: 0, frames: 0, waiting: [] };
    worker.on("message", (message: FromExtractor) => receive(hand, message));
    worker.on("error", (cause) =>
      failure.abort(new BackupError("unexpected", { detail: cause.message, cause })),
    );
    worker.on("exit", () =>
      failure.abort(new BackupError("unexpected", { detail: "An extracting thread ended" })),
    );
    return hand;
  };
  const hands: Hand[] = [];
  const most = Math.min(MAX_WORKERS, availableParallelism());
  /** A thread takes some 50 ms to start: one file needs no second. */
  const leastBusy = (): Hand => {
    const least = hands.toSorted((a, b) => a.units - b.units)[0];
    if (least !== undefined && (least.units === 0 || hands.length === most)) return least;
    const hired = hire();
    hands.push(hired);
    return hired;
  };
  const tell = ({ worker }: Hand, message: ToExtractor, transfer: ArrayBuffer[] = []): void =>
    worker.postMessage(message, transfer);
  const done = async (key: number | "late"): Promise<void> =>
    await orAborted(signal, (resolve) => onDone.set(key, resolve));

  return {
    signal,
    begin(files) {
      const hand = leastBusy();
      const unit = units;
      units += 1;
      hand.units += 1;
      tell(hand, { type: "unit", unit, files });
      return {
        async frame(frame, stored) {
          while (hand.frames >= FRAMES_PER_WORKER) {
            await orAborted(signal, (resolve) => hand.waiting.push(resolve));
          }
          hand.frames += 1;
          tell(hand, { type: "frame", unit, frame, stored }, [stored.buffer]);
        },
        async end() {
          tell(hand, { type: "unit-end", unit });
          await done(unit);
        },
      };
    },
    async late(steps) {
      if (steps.length === 0) return;
      tell(leastBusy(), { type: "late", steps });
      await done("late");
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(hands.map(({ worker }) => worker.terminate()));
    },
  };
}

/** What `wait` resolves, or the signal's reason, whichever comes first. */
async function orAborted(signal: AbortSignal, wait: (resolve: () => void) => void): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  wait(resolve);
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
