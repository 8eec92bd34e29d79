// What a running site did to its files while they were walked and packed, for its operator to know.
import { type ByteString, forDisplay } from "../plan/byte-string.ts";
import type { PackWarning } from "./pack-protocol.ts";

const MAX_WARNINGS = 200;

export interface PackWarnings {
  warn(code: PackWarning["code"], name: ByteString, what: string): void;
  /** The first 200. */
  list(): readonly PackWarning[];
  total(): number;
}

export function createPackWarnings(): PackWarnings {
  const warnings: PackWarning[] = [];
  let total = 0;
  return {
    warn(code, name, what) {
      total += 1;
      if (warnings.length < MAX_WARNINGS)
        warnings.push({ code, message: `${forDisplay(name).slice(0, 1500)} ${what}` });
    },
    list: () => warnings,
    total: () => total,
  };
}

export const VANISHED = "was removed while the backup ran";
