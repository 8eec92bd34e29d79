// The one way bytes enter the store: to a part file of their own, made durable, and then named by a transaction;
// if anything fails on the way, nothing is left.
import type { PayloadSummary } from "../payload.ts";
import type { Segment } from "./segments.ts";
import type { Change, Store } from "./store.ts";

export async function receivePart(
  store: Store,
  receive: (sink: (chunk: Buffer) => Promise<void>) => Promise<PayloadSummary>,
  commit: (change: Change, segments: readonly Segment[], summary: PayloadSummary) => void,
): Promise<PayloadSummary> {
  const writer = store.files.create();
  try {
    const summary = await receive((chunk) => writer.write(chunk));
    const segments = await writer.finish();
    await store.change((change) => commit(change, segments, summary));
    return summary;
  } catch (error) {
    await writer.discard().catch((leftover: unknown) => {
      throw new AggregateError([error, leftover], "an upload failed and its part file could not be removed");
    });
    throw error;
  }
}
