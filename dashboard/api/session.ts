// The token of whoever is signed in. It lives in this tab's sessionStorage: gone with the tab, and never sent along by
// the browser itself. Other tabs of the same browser are told (share-session.ts); keep-session.ts renews it in time.
import { useSyncExternalStore } from "react";

export interface Session {
  /** Stays the same while tokens are renewed. */
  readonly id: string;
  readonly token: string;
  /** An API token or a one-time link, or the organisation's issuer. */
  readonly via: "token" | "issuer";
  /** By this browser's clock; left out where only the Master knows. */
  readonly endsMs?: number;
  /** Gets a new token from the issuer, once; it never leaves this tab. */
  readonly refreshToken?: string;
}

export type EndReason = "signed_out" | "expired" | "link_used" | "sign_in_failed";
type Listener = (now: Session | undefined, before: Session | undefined) => void;

const KEY = "session";
let current = read();
let endedBecause: EndReason | undefined;
const listeners = new Set<Listener>();

export function session(): Session | undefined {
  return current;
}

export function useSession(): Session | undefined {
  return useSyncExternalStore(onSession, session);
}

/** Why there is no session any more, for the sign-in page. */
export function lastEnd(): EndReason | undefined {
  return endedBecause;
}

export function beginSession(started: Omit<Session, "id">): void {
  setSession({ id: crypto.randomUUID(), ...started });
}

/** A new session, or a new token of the one there is. */
export function setSession(next: Session): void {
  endedBecause = undefined;
  sessionStorage.setItem(KEY, JSON.stringify(next));
  change(next);
}

export function endSession(reason: EndReason): void {
  endedBecause = reason;
  sessionStorage.removeItem(KEY);
  change(undefined);
}

/** Returns what ends the listening. */
export function onSession(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  // Written by nobody but this file; a session of an older version is none.
  return text?.startsWith("{") === true ? (JSON.parse(text) as Session) : undefined;
}

function change(next: Session | undefined): void {
  const before = current;
  current = next;
  for (const listener of listeners) listener(next, before);
}
