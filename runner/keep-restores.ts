// What restores in place leave on this node is looked after for as long as the daemon runs: one that was killed, or could
// not be put back while its database was away, is ended as soon as that can be; what is kept for undo goes in time. A
// job has its site to itself meanwhile.
import type { Clock } from "./clock.ts";
import type { Log } from "./io/log.ts";
import { openRestoreStore } from "./io/restore/restore-store.ts";
import { openSiteTree } from "./io/restore/site-tree.ts";
import type { StateDir } from "./io/state-dir.ts";
import { type Backoff, backoffAtLeastHalfMs } from "./plan/backoff.ts";
import { type RecoverDeps, settleSite, unsettledSites } from "./recover-restores.ts";

export interface RestoreKeeper {
  /** All sites, one by one; gives how many could not be helped now. Never throws. */
  sweep(signal: AbortSignal): Promise<number>;
  /** Settles the site as far as that can be done now; until it is disposed, no sweep comes near it. */
  hold(siteId: string, signal: AbortSignal): Promise<Disposable>;
}

export interface KeeperDeps {
  readonly state: Pick<StateDir, "restoresDir" | "siteEnvFile">;
  readonly clock: Clock;
  readonly log: Log;
}

export function keepRestores({ state, clock, log }: KeeperDeps): RestoreKeeper {
  const held = new Set<string>();
  const inWork = new Map<string, Promise<boolean>>();

  async function eachUnsettled(
    signal: AbortSignal,
    settle: (siteId: string, deps: RecoverDeps) => Promise<boolean>,
  ): Promise<number> {
    let left = 0;
    try {
      using tree = openSiteTree();
      const store = await openRestoreStore(state.restoresDir);
      const siteEnvFile = (id: string): string => state.siteEnvFile(id);
      const deps = { store, tree, siteEnvFile, signal, now: clock.now, log };
      for (const siteId of await unsettledSites(deps)) {
        if (signal.aborted) break;
        if (!(await settle(siteId, deps))) left += 1;
      }
    } catch (error) {
      log.error("restores.not_recovered", { error });
      left += 1;
    }
    return left;
  }

  return {
    sweep: (signal) =>
      eachUnsettled(signal, async (siteId, deps) => {
        if (held.has(siteId)) return true;
        const work = settleSite(siteId, deps).finally(() => inWork.delete(siteId));
        inWork.set(siteId, work);
        return await work;
      }),
    async hold(siteId, signal) {
      while (inWork.has(siteId)) await inWork.get(siteId);
      held.add(siteId);
      await eachUnsettled(signal, async (id, deps) => id !== siteId || (await settleSite(id, deps)));
      return { [Symbol.dispose]: () => void held.delete(siteId) };
    },
  };
}

const SWEEP_EVERY_MS = 60_000;
const NOT_HELPED: Backoff = { baseMs: 5_000, capMs: 5 * 60_000 };

/** Visitors of a site that waits for its database to come back see a maintenance page: its waits are short at first. */
export async function runRestoreTimer(
  stop: AbortSignal,
  { restores, clock }: { readonly restores: RestoreKeeper; readonly clock: Clock },
): Promise<never> {
  for (let tries = 0; ; ) {
    const left = await restores.sweep(stop);
    stop.throwIfAborted();
    const waitMs = left === 0 ? SWEEP_EVERY_MS : backoffAtLeastHalfMs(NOT_HELPED, tries, clock.random());
    tries = left === 0 ? 0 : tries + 1;
    await clock.sleep(waitMs, stop);
  }
}
