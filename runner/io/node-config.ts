// The node's config as the Master last gave it, with its credentials opened. One place fetches it, at most once
// at a time, however many uploads find at the same moment that their credentials are about to end.
import type { NodeConfig, NodeStorage } from "#shared/contracts/nodes.ts";
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import { BackupError } from "#shared/errors.ts";
import type { Clock } from "../clock.ts";
import { type OpenedCredentials, openCredentials, type StorageCredentials } from "./credentials.ts";
import type { MasterClient } from "./master-client.ts";

export interface ConfigSource {
  /** The last one fetched; fetches the first. Throws BackupError. */
  readonly current: () => Promise<NodeConfig>;
  /** Fetches it now. */
  readonly refresh: () => Promise<NodeConfig>;
  /** Of the queue and the default storage; good for at least some minutes. */
  readonly credentials: () => Promise<StorageCredentials>;
  /** Another storage's, by its provider. Throws `storage_denied` when the Master has none for this node. */
  readonly credentialsOf: (providerId: string | undefined) => Promise<StorageCredentials>;
  /** Where that provider's archives go; undefined if it is none of this node's. Asks the Master before it says so. */
  readonly storageOf: (providerId: string | undefined) => Promise<NodeStorage | undefined>;
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

  async function fresh(): Promise<Loaded> {
    return loaded !== undefined && clock.monotonicMs() < loaded.opened.refreshAtMs
      ? loaded
      : await loadOnce();
  }

  return {
    current: async () => (loaded ?? (await loadOnce())).config,
    refresh: async () => (await loadOnce()).config,
    credentials: async () => (await fresh()).opened.credentials,
    async credentialsOf(providerId = DEFAULT_PROVIDER) {
      const { opened } = await fresh();
      if (providerId === DEFAULT_PROVIDER) return opened.credentials;
      const found = opened.providers.get(providerId) ?? (await loadOnce()).opened.providers.get(providerId);
      if (found !== undefined) return found;
      throw new BackupError("storage_denied", {
        detail: `The Master has no keys of the storage provider ${providerId} for this node`,
        hint: "Test it: POST /api/v1/storage/providers/{id}/test. The Master's log says why its keys cannot be had.",
      });
    },
    async storageOf(providerId) {
      const { config } = loaded ?? (await loadOnce());
      return findStorage(config, providerId) ?? findStorage((await loadOnce()).config, providerId);
    },
  };
}

function findStorage(
  { storage, storages }: NodeConfig,
  providerId: string = DEFAULT_PROVIDER,
): NodeStorage | undefined {
  if (providerId === DEFAULT_PROVIDER) return storage;
  return storages.find(({ provider_id: id }) => id === providerId);
}
