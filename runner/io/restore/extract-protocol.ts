// What the extracting worker and its owner say to each other.
import type { ErrorCode } from "#shared/error-kinds.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { ByteString } from "../../plan/byte-string.ts";
import type { Metadata } from "./tree-builder.ts";

export interface ExtractInput {
  /** The directory to fill, as bytes of a path that stays good while the owner holds it open. */
  readonly root: ByteString;
}

/** A file that is in a unit's frames, and where in the tar. */
export interface UnitFile {
  readonly entry: IndexEntry;
  /** Where the next entry begins. */
  readonly tarEnd: number;
  /** What it is restored as. */
  readonly name: ByteString;
}

/** What is made when all files are there, in this order. */
export type LateStep =
  | { readonly kind: "hardLink"; readonly name: ByteString; readonly target: ByteString }
  | {
      readonly kind: "symlink";
      readonly name: ByteString;
      readonly target: ByteString;
      readonly metadata: Metadata;
    }
  | { readonly kind: "directory"; readonly name: ByteString; readonly metadata: Metadata };

export type ToExtractor =
  | { readonly type: "unit"; readonly unit: number; readonly files: readonly UnitFile[] }
  /** The unit's frames, in order. */
  | {
      readonly type: "frame";
      readonly unit: number;
      readonly frame: FrameRecord;
      readonly stored: Uint8Array<ArrayBuffer>;
    }
  | { readonly type: "unit-end"; readonly unit: number }
  | { readonly type: "late"; readonly steps: readonly LateStep[] };

export type FromExtractor =
  /** A frame's memory is free, and so much of the tar is done. */
  | { readonly type: "frame-done"; readonly tarBytes: number }
  | { readonly type: "unit-done"; readonly unit: number }
  | { readonly type: "late-done" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly detail: string };
