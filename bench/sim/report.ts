// The month as a page for people. Pure.
import type { Check } from "./checks.ts";
import type { CostLine } from "./cost.ts";
import type { Tally } from "./tally.ts";

export interface Month {
  readonly date: string;
  readonly machine: string;
  readonly fleet: {
    readonly sites: number;
    readonly nodes: number;
    readonly days: number;
    readonly seed: number;
  };
  readonly seconds: number;
  readonly checks: readonly Check[];
  readonly cost: readonly CostLine[];
  readonly cost_without_storage: number;
  readonly counted: Omit<Tally, "arrivals">;
}

export function reportMonth({ fleet, counted, ...month }: Month): string {
  const { crashes, pauses, secondDeliveries, retries, deadLetters } = counted;
  return `# A simulated month

${number(fleet.sites)} sites on ${number(fleet.nodes)} nodes for ${fleet.days} days, seed ${fleet.seed}: \`npm run sim\`, ${month.date.slice(0, 10)}, ${month.seconds} s on
${month.machine}.

| check | measured | bar | held |
|---|---|---|---|
${month.checks.map(({ name, measured, bar, ok }) => `| ${name} | ${measured} | ${bar} | ${ok ? "yes" : "**no**"} |`).join("\n")}

On the way: ${number(secondDeliveries)} second deliveries, ${number(crashes)} crashes, ${number(pauses)} runners that stood still past their lease,
${number(retries)} jobs tried again, ${number(deadLetters)} dead letters, a Master that was away for 10 minutes.

| what it costs on AWS in that month | US dollars |
|---|---|
${month.cost.map(({ what, dollars }) => `| ${what} | ${dollars.toFixed(2)} |`).join("\n")}
| **all but storage** | **${month.cost_without_storage.toFixed(2)}** |

${number(counted.calls.claimJob)} claims, ${number(counted.calls.patchJob)} progress calls, ${number(counted.calls.heartbeatNode)} heartbeats, ${number(counted.calls.sqsReceive)} polls. The
formula is [docs/COSTS.md](../../docs/COSTS.md).`;
}

const number = (value: number): string => Math.round(value).toLocaleString("en-US");
