// EventBridge's fixed rules on loopback: the functions of serverless.yml that have a schedule are run at their rate.
import { readServerlessFile, type ServerlessFile } from "./serverless-file.ts";

export interface RuleOptions {
  readonly invoke: (functionName: string, event: unknown) => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** As EventBridge does, the first time one period after the start. */
export async function runRules({ invoke, onError }: RuleOptions): Promise<AsyncDisposable> {
  const running = new Set<Promise<void>>();
  const timers = readRules(await readServerlessFile()).map(({ functionName, everyMs }) =>
    setInterval(() => {
      const time = new Date().toISOString();
      const run = invoke(functionName, { source: "aws.events", "detail-type": "Scheduled Event", time })
        .then(() => undefined, onError)
        .finally(() => running.delete(run));
      running.add(run);
    }, everyMs).unref(),
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running);
    },
  };
}

export function readRules(file: ServerlessFile): { functionName: string; everyMs: number }[] {
  return Object.entries(file.functions).flatMap(([functionName, { events = [] }]) =>
    events.flatMap(({ schedule }) =>
      schedule === undefined ? [] : [{ functionName, everyMs: periodOf(schedule.rate) }],
    ),
  );
}

function periodOf(rate: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(rate) ?? [];
  if (count === undefined || unit === undefined) throw new Error(`serverless.yml: ${rate} is no rate.`);
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
