// Whether the Master answers this browser, as the calls themselves find out.
import { useSyncExternalStore } from "react";

let lostAt: Date | undefined;
const listeners = new Set<() => void>();

export function noteReached(): void {
  set(undefined);
}

export function noteLost(): void {
  if (lostAt === undefined) set(new Date());
}

/** Since when nothing has answered; undefined while all is well. */
export function useLostSince(): Date | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lostAt,
  );
}

function set(value: Date | undefined): void {
  if (value === lostAt) return;
  lostAt = value;
  for (const listener of listeners) listener();
}
