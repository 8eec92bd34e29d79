// What the workers that extract are given, in frame-protocol.ts' envelopes.
import type { ByteString } from "../../plan/byte-string.ts";
import type { ExpectedEntry } from "../../plan/restore/checked-entries.ts";
import type { OwnerMap } from "../../plan/restore/owner-map.ts";
import type { Metadata } from "./tree-builder.ts";

export interface ExtractInput {
  /** The directory to fill, as bytes of a path that stays good while the owner holds it open. */
  readonly root: ByteString;
  readonly owners: OwnerMap | undefined;
}

/** A file that is in a unit's frames. */
export interface UnitFile extends ExpectedEntry {
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
