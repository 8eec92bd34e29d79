// What a storage cannot do, in as few words as a table has room for.
import type { ProviderFeatures } from "#shared/contracts/storage.ts";

const WORDS: readonly (readonly [keyof ProviderFeatures, string])[] = [
  ["multipart", "uploads in parts"],
  ["part_copy", "copies of parts"],
  ["mixed_part_sizes", "parts of different sizes"],
  ["conditional_writes", "conditional writes"],
  ["checksums", "checksums"],
  ["ranged_reads", "ranged reads"],
];

export function missingFeatures(features: ProviderFeatures): string[] {
  return WORDS.filter(([feature]) => !features[feature]).map(([, word]) => word);
}
