// The simulation's clock: what is to happen, in order of time; of the same time, in the order it was put there.

export interface Timeline {
  nowMs(): number;
  /** Never before now. */
  at(timeMs: number, action: () => void): void;
  /** Runs everything up to `endMs`, that included. */
  runUntil(endMs: number): void;
  isEmpty(): boolean;
}

interface Entry {
  readonly timeMs: number;
  readonly order: number;
  readonly action: () => void;
}

export function openTimeline(startMs: number): Timeline {
  /** A binary heap: the least is first, and each is not less than its parent at (index - 1) / 2. */
  const heap: Entry[] = [];
  let nowMs = startMs;
  let order = 0;

  const isBefore = (a: Entry, b: Entry): boolean =>
    a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
  const push = (entry: Entry): void => {
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      index = up;
    }
    heap[index] = entry;
  };
  const pop = (): Entry | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    heap[index] = last;
    return first;
  };

  return {
    nowMs: () => nowMs,
    at(timeMs, action) {
      push({ timeMs: Math.max(timeMs, nowMs), order: order++, action });
    },
    runUntil(endMs) {
      for (let next = heap[0]; next !== undefined && next.timeMs <= endMs; next = heap[0]) {
        pop();
        nowMs = next.timeMs;
        next.action();
      }
      nowMs = Math.max(nowMs, endMs);
    },
    isEmpty: () => heap.length === 0,
  };
}
