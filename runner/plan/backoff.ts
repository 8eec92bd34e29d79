// How long to wait before the next try: exponential with full jitter, so that a fleet that lost its Master at the
// same instant does not come back at the same instant. Pure: the caller brings the random number.

export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/** Milliseconds before try number `attempt + 1`; `attempt` counts from 0, `random` is in [0, 1). */
export function backoffMs({ baseMs, capMs }: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(Math.max(attempt, 0), 30));
  return Math.floor(ceiling * random);
}

/** The same with at least half of the ceiling: for waits that must not be nothing, such as a redelivery. */
export function backoffAtLeastHalfMs(backoff: Backoff, attempt: number, random: number): number {
  return backoffMs(backoff, attempt, 0.5 + random / 2);
}
