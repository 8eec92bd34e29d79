// What the packing worker and its owner say to each other.
import type { ErrorCode } from "#shared/error-kinds.ts";

export interface PackInput {
  readonly configPath: string;
  readonly contentDir: string;
  /** The site's own globs. */
  readonly exclude: readonly string[];
  readonly frameBytes: number;
  /** Buffers that go round between worker and owner: all the memory that frames ever take. */
  readonly buffers: number;
  /** One Int32, counted up whenever a buffer is handed back: the worker sleeps on it. */
  readonly gate: SharedArrayBuffer;
}

export interface PackTotals {
  readonly files: number;
  readonly filesBytes: number;
}

export interface PackWarning {
  readonly code: "file_vanished" | "file_changed" | "special_file_skipped";
  readonly message: string;
}

export interface PackSummary extends PackTotals {
  /** Everything in the archive's tree: files, links, directories. */
  readonly entries: number;
  /** The first 200. */
  readonly warnings: readonly PackWarning[];
  readonly warningsTotal: number;
}

export type PackMessage =
  | { readonly type: "totals"; readonly totals: PackTotals }
  | {
      readonly type: "frame";
      readonly buffer: ArrayBuffer;
      readonly length: number;
      readonly entries: number;
    }
  | { readonly type: "done"; readonly summary: PackSummary }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly detail: string };
