// Times the stages of a job and tells the progress which one runs: the seconds in the report are these, however the
// job ends.
import type { StageTime } from "#shared/contracts/backups.ts";
import type { Stage } from "#shared/contracts/jobs.ts";

export interface StageClock {
  /** The stage before ends here. Entering one again adds to its time. */
  enter(stage: Stage): void;
  /** In the order they were first entered; the one that runs counts up to now. */
  times(): StageTime[];
}

/** `monotonicMs` never jumps; `onStage` is called as each stage begins. */
export function startStageClock(monotonicMs: () => number, onStage: (stage: Stage) => void): StageClock {
  const spentMs = new Map<Stage, number>();
  let current: { readonly stage: Stage; readonly sinceMs: number } | undefined;
  const settle = (nowMs: number): void => {
    if (current === undefined) return;
    spentMs.set(current.stage, (spentMs.get(current.stage) ?? 0) + (nowMs - current.sinceMs));
    current = { ...current, sinceMs: nowMs };
  };
  return {
    enter(stage) {
      const nowMs = monotonicMs();
      settle(nowMs);
      current = { stage, sinceMs: nowMs };
      onStage(stage);
    },
    times() {
      settle(monotonicMs());
      return [...spentMs].map(([name, ms]) => ({ name, seconds: Math.round(ms) / 1000 }));
    },
  };
}
