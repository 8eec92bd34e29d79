// What the worker threads that work on an archive's frames and their owner say to each other. A unit is a run of frames
// that begins and ends at entries, so that each can be worked on without the others.
import type { ErrorCode } from "#shared/error-kinds.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { FrameBytes } from "./frame-memory.ts";

export interface StoredFrame {
  readonly frame: FrameRecord;
  /** Of the pool's memory, and back in it once this frame is done. */
  readonly stored: FrameBytes;
}

export type ToFrameWorker<Unit, Question> =
  | { readonly type: "unit"; readonly unit: number; readonly what: Unit }
  /** The unit's frames, in order. */
  | ({ readonly type: "frame"; readonly unit: number } & StoredFrame)
  | { readonly type: "unit-end"; readonly unit: number }
  | { readonly type: "ask"; readonly what: Question };

export type FromFrameWorker<Result> =
  /** A frame's memory is free, and so much of the tar is done. */
  | { readonly type: "frame-done"; readonly tarBytes: number }
  | { readonly type: "unit-done"; readonly unit: number; readonly result: Result }
  | { readonly type: "answered" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly detail: string };
