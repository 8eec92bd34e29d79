// Types of bench-options.mjs for the benches.
import type { Usage } from "./read-options.mjs";

interface Text {
  type: "string";
}
interface TextOr extends Text {
  default: string;
}
interface Flag {
  type: "boolean";
  default: false;
}

export const BENCH: Usage<{ json: Flag; rows: Text; rounds: TextOr; dir: Text; save: Flag; small: Flag }>;
export const BENCH_SIZES: Usage<{ only: Text; dir: TextOr; save: Flag }>;
