// Optimistic writes meet: whoever lost reads again and decides again.
import { BackupError } from "#shared/errors.ts";

const ROUNDS = 10;

/** Runs `attempt` (read, decide, write) until its write is not beaten by another; undefined means beaten. */
export async function settleRace<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    // Losers of one round would collide again in step: a short random wait lets them queue up.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(5 * 2 ** round, 500)));
  }
  throw new BackupError("internal", { detail: "Too many changes to the same record at once; try again." });
}
