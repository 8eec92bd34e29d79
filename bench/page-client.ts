// Asks for a page at a fixed rate from a line `start` to a line `stop`, and prints a line with the milliseconds that each
// answer took: a process of its own, so that nothing else that the bench does is measured.
// page-client.ts URL REQUESTS_PER_SECOND
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [url = "", rate = "1"] = process.argv.slice(2);
const intervalMs = 1000 / Number(rate);
const TIMEOUT_MS = 30_000;

async function ask(): Promise<number> {
  const startedMs = performance.now();
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return performance.now() - startedMs;
}

/** At the beats of a clock, however long the answers take: a slow page must not be asked for less often. */
async function askUntil(stop: AbortSignal): Promise<number[]> {
  const answers: Promise<number>[] = [];
  const firstMs = performance.now();
  while (!stop.aborted) {
    const answer = ask();
    answer.catch(() => undefined); // Awaited below.
    answers.push(answer);
    await sleep(Math.max(0, firstMs + answers.length * intervalMs - performance.now()));
  }
  return await Promise.all(answers);
}

let running: { readonly stop: AbortController; readonly answers: Promise<number[]> } | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "start") {
    const stop = new AbortController();
    running = { stop, answers: askUntil(stop.signal) };
  } else {
    running?.stop.abort();
    process.stdout.write(`${JSON.stringify(await running?.answers)}\n`);
  }
}
