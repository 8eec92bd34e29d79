// The syntax tree of a configuration file as php-parser gives it, and what is known while it is read.
import type { PhpValue } from "./php-value.ts";

/** A node of php-parser's tree; its own types lack several of the fields that it produces. */
export type PhpNode = Readonly<Record<string, unknown>> & { readonly kind: string };

export interface PhpScope {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  constant(name: string): PhpValue | undefined;
  variable(name: string): PhpValue | undefined;
  define(name: string, value: PhpValue): void;
  assign(name: string, value: PhpValue): void;
  include(node: PhpNode): PhpValue;
  fileExists(path: string): boolean;
  /** Runs `effects` as something that may or may not happen. */
  maybe(effects: () => void): void;
  /** Counts the work; throws when a file asks for too much of it. */
  step(): void;
}

export function isNode(value: unknown): value is PhpNode {
  return typeof value === "object" && value !== null && "kind" in value;
}

export function nodesOf(value: unknown): readonly PhpNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The last part of a qualified name: `Env\env`, `\define` and `Roots\WPConfig\Config` are known by it. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("\\") + 1);
}
