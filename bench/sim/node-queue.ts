// One node's SQS queue as SQS promises it: a message is there until it is deleted, hidden while somebody works on it, comes
// back when that takes too long, and goes to the dead letters after too many deliveries.
import type { JobMessage } from "#shared/contracts/jobs.ts";

export interface Delivery {
  readonly message: JobMessage;
  visibleAtMs: number;
  receiveCount: number;
}

export interface NodeQueue {
  send(message: JobMessage, atMs: number): void;
  /** The first that is visible, hidden for so long from now; those that came too often are given to `bury`. */
  receive(atMs: number, hideSeconds: number, bury: (message: JobMessage) => void): Delivery | undefined;
  delete(delivery: Delivery): void;
  /** When the next hidden message becomes visible; undefined for an empty queue. */
  nextVisibleMs(): number | undefined;
  length(): number;
}

export function openNodeQueue(maxReceiveCount: number): NodeQueue {
  let deliveries: Delivery[] = [];
  return {
    send(message, atMs) {
      deliveries.push({ message, visibleAtMs: atMs, receiveCount: 0 });
    },
    receive(atMs, hideSeconds, bury) {
      for (const delivery of deliveries) {
        if (delivery.visibleAtMs > atMs) continue;
        delivery.receiveCount += 1;
        if (delivery.receiveCount > maxReceiveCount) {
          deliveries = deliveries.filter((other) => other !== delivery);
          bury(delivery.message);
          continue;
        }
        delivery.visibleAtMs = atMs + hideSeconds * 1000;
        return delivery;
      }
      return undefined;
    },
    delete(delivery) {
      deliveries = deliveries.filter((other) => other !== delivery);
    },
    nextVisibleMs() {
      return deliveries.length === 0
        ? undefined
        : Math.min(...deliveries.map(({ visibleAtMs }) => visibleAtMs));
    },
    length: () => deliveries.length,
  };
}
