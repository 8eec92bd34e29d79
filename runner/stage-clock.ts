// Times the stages of a job and tells the progress which one runs: the seconds in the report are these.
import type { StageTime } from "#shared/contracts/backups.ts";
import type { Stage } from "#shared/contracts/jobs.ts";

export interface StageClock {
  /** Runs `work` as `stage`; its time counts also when it throws. */
  during<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
  times(): StageTime[];
}

/** `monotonicMs` never jumps; `onStage` is called as each stage begins. */
export function startStageClock(monotonicMs: () => number, onStage: (stage: Stage) => void): StageClock {
  const seconds = new Map<Stage, number>();
  return {
    async during(stage, work) {
      const startedMs = monotonicMs();
      onStage(stage);
      try {
        return await work();
      } finally {
        seconds.set(stage, (seconds.get(stage) ?? 0) + (monotonicMs() - startedMs) / 1000);
      }
    },
    times: () => [...seconds].map(([name, total]) => ({ name, seconds: Math.round(total * 1000) / 1000 })),
  };
}
