// The node's config as the Master last gave it, with its credentials opened. One place fetches it, at most once
// at a time, however many uploads find at the same moment that their credentials are about to end.
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import type { Clock } from "../clock.ts";
import { type OpenedCredentials, openCredentials, type StorageCredentials } from "./credentials.ts";
import type { MasterClient } from "./master-client.ts";

export interface ConfigSource {
  /** The last one fetched; fetches the first. Throws BackupError. */
  readonly current: () => Promise<NodeConfig>;
  /** Fetches it now. */
  readonly refresh: () => Promise<NodeConfig>;
  /** Good for at least some minutes. */
  readonly credentials: () => Promise<StorageCredentials>;
}

interface Loaded {
  readonly config: NodeConfig;
  readonly opened: OpenedCredentials;
}

export interface ConfigSourceDeps {
  readonly master: MasterClient;
  readonly ageIdentity: string;
  readonly clock: Clock;
  /** The runner is to stop. */
  readonly stop: AbortSignal;
}

export function createConfigSource(deps: ConfigSourceDeps): ConfigSource {
  const { master, ageIdentity, clock, stop } = deps;
  let loaded: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;

  async function load(): Promise<Loaded> {
    const at = { now: clock.now(), monotonicMs: clock.monotonicMs() };
    const config = await master.call("getNodeConfig", { signal: stop });
    const opened = await openCredentials(config.credentials, ageIdentity, {
      ...at,
      serverTime: config.server_time,
    });
    loaded = { config, opened };
    return loaded;
  }

  function loadOnce(): Promise<Loaded> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  return {
    current: async () => (loaded ?? (await loadOnce())).config,
    refresh: async () => (await loadOnce()).config,
    async credentials() {
      const fresh = loaded !== undefined && clock.monotonicMs() < loaded.opened.refreshAtMs;
      return (fresh && loaded !== undefined ? loaded : await loadOnce()).opened.credentials;
    },
  };
}
