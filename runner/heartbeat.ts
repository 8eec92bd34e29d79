// Tells the Master that this node is alive and what it sees, and learns from the answer that its config changed.
import type { Heartbeat } from "#shared/contracts/nodes.ts";
import type { Clock } from "./clock.ts";
import { discoverSites } from "./io/discover.ts";
import { diskSpace } from "./io/disk.ts";
import type { Log } from "./io/log.ts";
import type { MasterClient } from "./io/master-client.ts";
import type { ConfigSource } from "./io/node-config.ts";
import type { Outbox } from "./io/outbox.ts";
import type { StateDir } from "./io/state-dir.ts";

export interface HeartbeatDeps {
  /** Without retries: the next beat is the retry. */
  readonly master: MasterClient;
  readonly source: ConfigSource;
  readonly state: StateDir;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly platform: string;
  readonly siteRoots: readonly string[];
  readonly runningJobId: () => string | null;
}

const DISCOVER_EVERY_MS = 15 * 60_000;

/** Beats until `stop` aborts, then rejects with its reason. A beat that fails is logged, never more. */
export async function runHeartbeats(stop: AbortSignal, deps: HeartbeatDeps): Promise<never> {
  const { master, source, clock, log } = deps;
  let discovered: readonly string[] = [];
  let discoverAtMs = clock.monotonicMs();

  async function discover(): Promise<void> {
    if (clock.monotonicMs() < discoverAtMs) return;
    discoverAtMs = clock.monotonicMs() + DISCOVER_EVERY_MS;
    discovered = await discoverSites(deps.siteRoots);
  }

  async function compose(): Promise<Heartbeat> {
    await discover();
    const { freeBytes, totalBytes } = await diskSpace(deps.state.path);
    return {
      version: deps.version,
      platform: deps.platform,
      disk_free_bytes: freeBytes,
      disk_total_bytes: totalBytes,
      running_job_id: deps.runningJobId(),
      outbox_length: await deps.outbox.length(),
      discovered_sites: discovered.map((path) => ({ path })),
    };
  }

  for (;;) {
    const config = await source.current();
    try {
      const answer = await master.call("heartbeatNode", { body: await compose(), signal: stop });
      if (answer.config_revision !== config.revision) {
        const { revision } = await source.refresh();
        log.info("config.changed", { revision });
      }
    } catch (error) {
      stop.throwIfAborted();
      log.warn("heartbeat.failed", { error });
    }
    // A tenth of jitter: a fleet that was started together must not beat together for ever.
    const waitMs = config.limits.heartbeat_seconds * 1000 * (0.95 + clock.random() / 10);
    await clock.sleep(waitMs, stop);
  }
}
