// The headers of ours that both sides of the wire know.

/** Follows one piece of work through every log: from the call that started it to the last line of the runner. */
export const CORRELATION_HEADER = "x-correlation-id";
/** Of a POST: the same key and body again give the first answer again instead of a second effect. */
export const IDEMPOTENCY_HEADER = "idempotency-key";
/** On an answer that was kept from the first call. */
export const REPLAYED_HEADER = "idempotency-replayed";
