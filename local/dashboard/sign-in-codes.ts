// The secrets of one-time sign-in links: made here, known here as hashes only, good for one exchange within minutes.
import { createHash, randomBytes } from "node:crypto";

export const CODE_MINUTES = 10;
/** More than a person prints in ten minutes; the oldest goes first. */
const MAX_OPEN = 20;

export interface SignInCodes {
  issue(): string;
  /** True once per code, and only while it is fresh. */
  redeem(code: string): boolean;
}

export function openSignInCodes(now: () => Date): SignInCodes {
  const expiries = new Map<string, number>();
  const forgetOld = (): void => {
    for (const [hash, expiresMs] of expiries) if (expiresMs <= now().getTime()) expiries.delete(hash);
  };
  return {
    issue() {
      forgetOld();
      const [oldest] = expiries.keys();
      if (expiries.size >= MAX_OPEN && oldest !== undefined) expiries.delete(oldest);
      const code = randomBytes(32).toString("base64url");
      expiries.set(hashOf(code), now().getTime() + CODE_MINUTES * 60_000);
      return code;
    },
    redeem(code) {
      forgetOld();
      // A hash of 256 random bits: how long the lookup takes tells nothing about another code.
      return expiries.delete(hashOf(code));
    },
  };
}

function hashOf(code: string): string {
  return createHash("sha256").update(code).digest("hex");
}
