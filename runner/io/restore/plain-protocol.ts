// What the worker that extracts another tool's archive and its owner say to each other.
import type { ErrorCode } from "#shared/error-kinds.ts";
import type { ByteString } from "../../plan/byte-string.ts";
import type { OwnerMap } from "../../plan/restore/owner-map.ts";
import type { Selection } from "../../plan/restore/select-entries.ts";

export interface PlainInput {
  /** The directory to fill, as in extract-protocol.ts. */
  readonly root: ByteString;
  readonly owners: OwnerMap | undefined;
  readonly selection: Selection;
  /** What may be written: nothing says beforehand how much there is. */
  readonly budgetBytes: number;
}

export type ToPlainExtractor =
  | { readonly type: "tar"; readonly bytes: Uint8Array }
  | { readonly type: "end" };

export interface PlainSummary {
  readonly files: number;
  readonly filesBytes: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly dbBytes: number;
  readonly hasDb: boolean;
  /** Devices, FIFOs and the like, which are never made. */
  readonly skipped: number;
}

export type FromPlainExtractor =
  | { readonly type: "tar-done"; readonly bytes: number }
  | { readonly type: "done"; readonly summary: PlainSummary }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly detail: string };
