// What the packing worker and its owner say to each other.
import type { FullReason, Warning } from "#shared/contracts/backups.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import type { CopyLimits } from "../plan/copy/choose-runs.ts";
import type { KeptPart, SentPart } from "../plan/copy/sent-parts.ts";
import type { CopyPart } from "../plan/copy/split-copies.ts";
import type { PlanCounts } from "../plan/copy/walk-order.ts";

export interface PackPlace {
  readonly configPath: string;
  readonly contentDir: string;
  /** The site's own globs. */
  readonly exclude: readonly string[];
}

/** A zstd frame of index lines, and where in the tar the last of their entries ends. */
export interface EntryBlock {
  readonly lines: Uint8Array;
  readonly tarEnd: number;
}

/** What an earlier attempt has sent, as its ledger has it. */
export interface SentEarlier {
  readonly parts: readonly SentPart[];
  readonly blocks: readonly EntryBlock[];
  /** A stretch of that attempt's tar that was copied, not sent: places behind it count without it. */
  readonly gap: { readonly tarOffset: number; readonly tarBytes: number };
}

export interface PackInput extends PackPlace {
  readonly frameBytes: number;
  readonly sent?: SentEarlier;
  readonly limits: CopyLimits;
  readonly dumpSha256: string;
  /** Whether the index that was to be read is that of an archive to copy from. */
  readonly usesIndex: boolean;
  /** How long after its last change a file's stat begins to prove its content. */
  readonly racyWindowNs?: bigint;
  /** All the memory that plain frames ever take: slots of `frameBytes`, filled by the worker and given back by its owner. */
  readonly frames: SharedArrayBuffer;
  /** Int32s: how often a slot was given back, which the worker sleeps on, and for each slot whether it is in use. */
  readonly gate: SharedArrayBuffer;
}

export type ToPacker =
  /** Index frames, as stored. */
  | { readonly type: "index"; readonly index: Uint8Array }
  /** To look at the site now, against that index if there is one: the pack that follows is of what was seen. */
  | { readonly type: "survey"; readonly place: PackPlace; readonly usesIndex: boolean }
  | { readonly type: "pack"; readonly input: PackInput };

/** The copy plan without what only the worker needs of it. */
export interface PackPlan {
  readonly mode: "full" | "incremental";
  readonly fullReason: FullReason | undefined;
  readonly counts: PlanCounts;
  /** Parts that are there already: the beginning of the archive, before the copies. */
  readonly kept: {
    readonly parts: readonly KeptPart[];
    readonly bytes: number;
    readonly tarBytes: number;
    readonly frames: readonly FrameRecord[];
    /** Their entries at their new places. */
    readonly blocks: readonly EntryBlock[];
  };
  readonly copied: {
    readonly parts: readonly CopyPart[];
    readonly bytes: number;
    readonly tarBytes: number;
    readonly frames: readonly FrameRecord[];
    readonly database: IndexHeader["database"];
  };
  /** Of the files that will be read. */
  readonly freshBytes: number;
}

export interface PackWarning extends Warning {
  readonly code: "file_vanished" | "file_changed" | "special_file_skipped";
}

export interface PackSummary {
  /** In the archive, copied ones included; without the dump. */
  readonly files: number;
  readonly filesBytes: number;
  /** Files, links, directories. */
  readonly entries: number;
  readonly bytesRead: number;
  /** Of the files that were read, those that look encrypted. */
  readonly garbled: number;
  /** The first 200. */
  readonly warnings: readonly PackWarning[];
  readonly warningsTotal: number;
}

export type PackMessage =
  | { readonly type: "plan"; readonly plan: PackPlan }
  | {
      readonly type: "frame";
      readonly slot: number;
      readonly length: number;
      /** As `judgeFrame` says. */
      readonly rawSha256: string | undefined;
    }
  /** The next index frame, with the lines of entries. */
  | { readonly type: "index"; readonly frame: Uint8Array }
  /** The same of the fresh entries that the frames so far have brought, for the ledger of what was sent. */
  | { readonly type: "entries"; readonly block: EntryBlock }
  | { readonly type: "done"; readonly summary: PackSummary }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly detail: string };
