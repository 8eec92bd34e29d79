// From what a storage did in a test to what it can do, in plain words, and what that means for backups.
import type { ProbeStep, ProviderFeatures, ProviderKind, ProviderTest } from "#shared/contracts/storage.ts";
import type { StorageFault } from "./storage-fault.ts";

/** In the order in which they are tried. Each is one thing that backups, restores or their safety come to need. */
export const PROBES = [
  "write",
  "read",
  "ranged_read",
  "list",
  "wrong_checksum",
  "upload_parts",
  "copy_part",
  "mixed_sizes",
  "conditional_complete",
  "conditional_put",
  "abort_upload",
  "delete",
] as const;
export type ProbeName = (typeof PROBES)[number];

/** `good`: as S3 does it; `bad`: an answer, but another one; `failed`: an error; `skipped`: for want of something before. */
export type ProbeResult =
  | { readonly outcome: "good" | "skipped" }
  | { readonly outcome: "bad"; readonly why: string }
  | { readonly outcome: "failed"; readonly fault: StorageFault };
export type ProbeResults = Readonly<Record<ProbeName, ProbeResult>>;

/** What every backup needs; anything else is a feature that backups do without. */
const ESSENTIAL: ReadonlySet<ProbeName> = new Set(["write", "read", "upload_parts", "delete"]);

const WORDS: Readonly<Record<ProbeName, { readonly good: string; readonly not: string }>> = {
  write: { good: "Wrote an object of 5 MiB.", not: "Could not write an object." },
  read: { good: "Read it back, byte for byte.", not: "Could not read it back." },
  ranged_read: { good: "Read a few bytes from its middle.", not: "Does not give a part of an object." },
  list: { good: "Listed what is there.", not: "Does not list what is there." },
  wrong_checksum: {
    good: "Refused data that did not fit its checksum.",
    not: "Takes data that does not fit its checksum.",
  },
  upload_parts: {
    good: "Put an object together from parts.",
    not: "Could not put an object together from parts.",
  },
  copy_part: {
    good: "Copied parts of one object into another.",
    not: "Does not copy parts of one object into another.",
  },
  mixed_sizes: { good: "Took parts of different sizes.", not: "Wants all parts to be of one size." },
  conditional_complete: {
    good: "Did not replace an object with an upload that asked not to.",
    not: "Replaces an object although the upload asked not to.",
  },
  conditional_put: {
    good: "Did not replace an object with a write that asked not to.",
    not: "Replaces an object although the write asked not to.",
  },
  abort_upload: {
    good: "Forgot an upload that was given up.",
    not: "Could not give an upload up: set a lifecycle rule that ends unfinished uploads.",
  },
  delete: { good: "Deleted everything again.", not: "Could not delete what the test has written." },
};

export function judgeProbe(results: ProbeResults, kind: ProviderKind, seconds: number): ProviderTest {
  const isGood = (name: ProbeName): boolean => results[name].outcome === "good";
  const features: ProviderFeatures = {
    multipart: isGood("upload_parts"),
    part_copy: isGood("copy_part"),
    mixed_part_sizes: isGood("mixed_sizes"),
    conditional_writes: isGood("conditional_complete"),
    checksums: isGood("wrong_checksum"),
    ranged_reads: isGood("ranged_read"),
  };
  const usable = [...ESSENTIAL].every(isGood);
  return {
    usable,
    features,
    steps: PROBES.map((name) => stepOf(name, results[name])),
    notes: [...(usable ? [...featureNotes(features), ...listNotes(results)] : []), ...KEY_NOTES[kind]],
    seconds: Math.round(seconds * 10) / 10,
  };
}

function stepOf(name: ProbeName, result: ProbeResult): ProbeStep {
  const { good, not } = WORDS[name];
  switch (result.outcome) {
    case "good":
      return { name, outcome: "good", text: good };
    case "skipped":
      return { name, outcome: "skipped", text: "Not tried, for want of what comes before, or of time." };
    case "bad":
      return {
        name,
        outcome: ESSENTIAL.has(name) ? "failed" : "missing",
        text: `${not} ${result.why}`.trim(),
      };
    case "failed":
      return {
        name,
        outcome: ESSENTIAL.has(name) ? "failed" : "missing",
        text: `${not} ${result.fault.text}`,
      };
  }
}

function featureNotes(features: ProviderFeatures): string[] {
  const missing: readonly (readonly [keyof ProviderFeatures, string])[] = [
    [
      "part_copy",
      "Every backup is packed and sent in full: nothing can be copied from the one before inside the storage.",
    ],
    [
      "mixed_part_sizes",
      "Parts of one size only: every backup is sent in full, and one that is cut short begins anew.",
    ],
    [
      "conditional_writes",
      "The storage would let an archive be replaced. Names are used once, so it does not happen by itself; a node with the keys could do it.",
    ],
    [
      "checksums",
      "Data that is damaged on its way is not noticed while it is sent, but when the backup is verified: schedule proofs.",
    ],
    ["ranged_reads", "Single files cannot be restored, and archives cannot be looked into."],
  ];
  return missing.filter(([feature]) => !features[feature]).map(([, note]) => note);
}

/** No feature: it means nothing to backups, only to what looks after them. */
function listNotes({ list: { outcome } }: ProbeResults): string[] {
  if (outcome === "good" || outcome === "skipped") return [];
  return ["Archives that get lost there are noticed by verifications only: schedule proofs."];
}

const KEY_NOTES: Readonly<Record<ProviderKind, readonly string[]>> = {
  aws: ["Each node gets a session of an hour that reaches its own prefix, without delete and list."],
  s3: [
    "Static keys cannot be cut down: every node whose sites use this storage gets these very keys, and whoever breaks into it can do with the bucket all that they allow, deleting backups included.",
    "Make a provider of its own for each node, with keys that the storage confines to what that node may do, and turn on versions or object lock where the storage has them.",
  ],
};
