// A secret in memory that cannot be printed by accident: it works as the plain object that SDKs want, but
// JSON.stringify, util.inspect and template strings show a placeholder.
import { inspect } from "node:util";

const PLACEHOLDER = "[redacted]";
const hide = { value: (): string => PLACEHOLDER, enumerable: false } as const;

export function redacting<T extends object>(secret: T): T {
  return Object.defineProperties(
    { ...secret },
    {
      toJSON: hide,
      toString: hide,
      [inspect.custom]: hide,
    },
  ) as T;
}
