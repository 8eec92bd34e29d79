// Types of read-options.mjs for programs in TypeScript.
import type { ParseArgsOptionsConfig, parseArgs } from "node:util";

export interface Usage<T extends ParseArgsOptionsConfig> {
  readonly usage: string;
  readonly options: T;
}

export function readOptions<T extends ParseArgsOptionsConfig>(
  what: Usage<T>,
  args?: string[],
): ReturnType<typeof parseArgs<{ options: T }>>["values"];
