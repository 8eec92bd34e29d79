// When an issuer's keys are asked for again, and how long those at hand are good for. Anybody can send a token with a key id
// that nobody knows, so what a token says must not decide how often the issuer is asked.
import type { JSONWebKeySet } from "jose";

export interface KeyCache {
  readonly keys: JSONWebKeySet | undefined;
  /** When the keys were got, and when the issuer was asked last, with or without success. */
  readonly gotMs: number;
  readonly askedMs: number;
}

export const NO_KEYS: KeyCache = { keys: undefined, gotMs: -Infinity, askedMs: -Infinity };

/** A key that the issuer has withdrawn is refused after this long. */
const FRESH_MS = 600_000;
/** While the issuer is away its keys go on being good, but not for ever: one of them may be withdrawn meanwhile. */
const USABLE_MS = 86_400_000;
/** Between two requests: a new key's tokens wait as long at most. After a failure sooner. */
const REST_MS = 30_000;
const REST_AFTER_FAILURE_MS = 5_000;

export function shouldAsk(cache: KeyCache, keyId: string | undefined, nowMs: number): boolean {
  const hasFailed = cache.askedMs > cache.gotMs;
  if (nowMs - cache.askedMs < (hasFailed ? REST_AFTER_FAILURE_MS : REST_MS)) return false;
  if (cache.keys === undefined || nowMs - cache.gotMs >= FRESH_MS) return true;
  return keyId !== undefined && !cache.keys.keys.some(({ kid }) => kid === keyId);
}

export function usableKeys({ keys, gotMs }: KeyCache, nowMs: number): JSONWebKeySet | undefined {
  return nowMs - gotMs < USABLE_MS ? keys : undefined;
}
