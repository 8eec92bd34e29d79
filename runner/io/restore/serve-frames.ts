// The worker's side of frame-pool.ts: everything in here runs with synchronous calls, in a thread of its own.
import { parentPort } from "node:worker_threads";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { asBackupError } from "#shared/errors.ts";
import type { FromFrameWorker, StoredFrame, ToFrameWorker } from "./frame-protocol.ts";

export interface UnitWork<Result> {
  frame(stored: StoredFrame): void;
  end(): Result;
}

export interface FrameWork<Unit, Question, Result> {
  readonly begin: (what: Unit) => UnitWork<Result>;
  readonly ask: (what: Question) => void;
  /** What an error that is not ours means. */
  readonly failure: ErrorCode;
}

export function serveFrames<Unit, Question, Result>(work: FrameWork<Unit, Question, Result>): void {
  const port = parentPort;
  if (port === null) throw new Error("this runs in a worker thread only");
  const units = new Map<number, UnitWork<Result>>();
  const post = (message: FromFrameWorker<Result>): void => port.postMessage(message);
  const unitOf = (id: number): UnitWork<Result> => {
    const unit = units.get(id);
    if (unit === undefined) throw new Error(`there is no unit ${id}`);
    return unit;
  };
  const handle = (message: ToFrameWorker<Unit, Question>): void => {
    switch (message.type) {
      case "unit":
        units.set(message.unit, work.begin(message.what));
        break;
      case "frame":
        unitOf(message.unit).frame(message);
        post({ type: "frame-done", tarBytes: message.frame.tarBytes });
        break;
      case "unit-end":
        post({ type: "unit-done", unit: message.unit, result: unitOf(message.unit).end() });
        units.delete(message.unit);
        break;
      case "ask":
        work.ask(message.what);
        post({ type: "answered" });
        break;
    }
  };
  let hasFailed = false;
  port.on("message", (message: ToFrameWorker<Unit, Question>) => {
    // What was on its way when something failed is dropped.
    if (hasFailed) return;
    try {
      handle(message);
    } catch (error) {
      hasFailed = true;
      const { code, message: detail } = asBackupError(error, work.failure);
      post({ type: "failed", code, detail });
    }
  });
}
