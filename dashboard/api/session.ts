// The token of whoever is signed in. It lives in this tab's sessionStorage: gone with the tab, and never sent along by
// the browser itself. Another tab of the same browser gets it by asking (share-session.ts).
import { useSyncExternalStore } from "react";

export interface Session {
  readonly token: string;
}

export type EndReason = "signed_out" | "expired" | "link_used";

const KEY = "session";
let current = read();
let endedBecause: EndReason | undefined;
const listeners = new Set<() => void>();

export function session(): Session | undefined {
  return current;
}

export function useSession(): Session | undefined {
  return useSyncExternalStore(subscribe, session);
}

/** Why there is no session any more, for the sign-in page. */
export function lastEnd(): EndReason | undefined {
  return endedBecause;
}

export function beginSession(token: string): void {
  current = { token };
  endedBecause = undefined;
  sessionStorage.setItem(KEY, token);
  tell();
}

export function endSession(reason: EndReason): void {
  current = undefined;
  endedBecause = reason;
  sessionStorage.removeItem(KEY);
  tell();
}

function read(): Session | undefined {
  const token = sessionStorage.getItem(KEY);
  return token === null ? undefined : { token };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}
