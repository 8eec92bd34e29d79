// The owner's side of the worker threads that frames go to: each gets the frames of its units, never more than it can
// hold, and the first failure of any of them becomes everybody's.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { BackupError } from "#shared/errors.ts";
import { unlessAborted } from "../../unless-aborted.ts";
import type { FrameTaker } from "./fetch-units.ts";
import { type FrameBytes, type FrameMemory, openFrameMemory } from "./frame-memory.ts";
import type { FromFrameWorker, StoredFrame, ToFrameWorker } from "./frame-protocol.ts";

/** All methods reject with the first failure of a worker, or the caller's signal's reason. */
export interface FramePool<Unit, Question, Result> extends AsyncDisposable {
  /** `drained` gives the results. */
  begin(what: Unit, onResult: (result: Result) => void): FrameTaker;
  /** Resolves when the workers are done with all units. */
  drained(): Promise<void>;
  /** One at a time. */
  ask(what: Question): Promise<void>;
  /** Aborts with that failure or reason. */
  readonly signal: AbortSignal;
  /** What frames are to lie in. */
  readonly memory: FrameMemory;
}

export interface FramePoolOptions {
  readonly worker: URL;
  readonly workerData: unknown;
  readonly signal: AbortSignal;
  readonly onFrame: (tarBytes: number) => void;
}

/** More are no faster: they meet in the file system. */
const MAX_WORKERS = 4;
/** One in work, the others waiting: on a busy machine it takes a while until the next would be here. */
const FRAMES_PER_WORKER = 2;

/** What a worker makes is short-lived: V8's usual young generation takes 20 MB more, and is no faster. */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 8 };

interface Hand {
  readonly worker: Worker;
  units: number;
  /** In its hands, in order. */
  readonly frames: FrameBytes[];
  readonly waiting: (() => void)[];
}

export function startFramePool<Unit, Question, Result>(
  options: FramePoolOptions,
): FramePool<Unit, Question, Result> {
  options.signal.throwIfAborted();
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const memory = openFrameMemory();
  const onUnitDone = new Map<number, (result: Result) => void>();
  let onAnswer: (() => void) | undefined;
  let onDrained: (() => void) | undefined;
  let units = 0;

  const receive = (hand: Hand, message: FromFrameWorker<Result>): void => {
    switch (message.type) {
      case "frame-done": {
        const done = hand.frames.shift();
        if (done !== undefined) memory.giveBack(done);
        hand.waiting.shift()?.();
        options.onFrame(message.tarBytes);
        break;
      }
      case "unit-done":
        hand.units -= 1;
        onUnitDone.get(message.unit)?.(message.result);
        onUnitDone.delete(message.unit);
        if (onUnitDone.size === 0) onDrained?.();
        break;
      case "answered":
        onAnswer?.();
        break;
      case "failed":
        failure.abort(new BackupError(message.code, { detail: message.detail }));
        break;
    }
  };
  const hire = (): Hand => {
    const worker = new Worker(options.worker, {
      workerData: options.workerData,
      resourceLimits: WORKER_LIMITS,
    });
    const hand: Hand = { worker, units: 0, frames: [], waiting: [] };
    worker.on("message", (message: FromFrameWorker<Result>) => receive(hand, message));
    worker.on("error", (cause) =>
      failure.abort(new BackupError("unexpected", { detail: cause.message, cause })),
    );
    worker.on("exit", () =>
      failure.abort(new BackupError("unexpected", { detail: "A thread ended without a word" })),
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
  const tell = ({ worker }: Hand, message: ToFrameWorker<Unit, Question>): void =>
    worker.postMessage(message);

  return {
    signal,
    memory,
    begin(what, onResult) {
      const hand = leastBusy();
      const unit = units;
      units += 1;
      hand.units += 1;
      onUnitDone.set(unit, onResult);
      tell(hand, { type: "unit", unit, what });
      const put = ({ frame, stored }: StoredFrame): void => {
        hand.frames.push(stored);
        tell(hand, { type: "frame", unit, frame, stored });
      };
      const waitAndPut = async (frame: StoredFrame): Promise<void> => {
        while (hand.frames.length >= FRAMES_PER_WORKER) {
          await unlessAborted(new Promise<void>((resolve) => hand.waiting.push(resolve)), signal);
        }
        put(frame);
      };
      return {
        frame(frame) {
          if (hand.frames.length >= FRAMES_PER_WORKER) return waitAndPut(frame);
          put(frame);
          return undefined;
        },
        end: () => tell(hand, { type: "unit-end", unit }),
      };
    },
    async drained() {
      if (onUnitDone.size === 0) return signal.throwIfAborted();
      const drained = new Promise<void>((resolve) => {
        onDrained = resolve;
      });
      await unlessAborted(drained, signal);
    },
    async ask(what) {
      tell(leastBusy(), { type: "ask", what });
      const answered = new Promise<void>((resolve) => {
        onAnswer = resolve;
      });
      await unlessAborted(answered, signal);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(hands.map(({ worker }) => worker.terminate()));
    },
  };
}
