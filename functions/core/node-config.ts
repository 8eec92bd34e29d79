// What a node is told to work with, and the revision that tells it when to ask again.
import { createHash } from "node:crypto";
import type { NodeConfig, NodeStorage } from "#shared/contracts/nodes.ts";
import type { NodeRecord, ProviderRecord, SiteRecord } from "./records.ts";
import { viewNodeSite } from "./view.ts";

export interface NodeConfigSettings {
  readonly region: string;
  readonly bucketName: string;
  readonly s3Endpoint: string | undefined;
  readonly sqsEndpoint: string | undefined;
  readonly heartbeatSeconds: number;
  readonly progressSeconds: number;
  readonly uploadBytesPerSecond: number | undefined;
}

type StableConfig = Pick<NodeConfig, "node_id" | "revision" | "queue" | "storage" | "storages" | "sites">;

/** The storages beside the default one that those sites use. */
export function providersOf(sites: readonly SiteRecord[]): string[] {
  const ids = sites.flatMap(({ storage_provider_id: id }) => (id === undefined ? [] : [id]));
  return [...new Set(ids)].sort();
}

/** `revision` changes exactly when something in here that matters to the node does. */
export function nodeConfig(
  node: NodeRecord,
  sites: readonly SiteRecord[],
  providers: readonly ProviderRecord[],
  settings: NodeConfigSettings,
): StableConfig {
  const { region, bucketName, s3Endpoint, sqsEndpoint } = settings;
  const stable = {
    node_id: node.id,
    queue: {
      url: node.queue_url,
      region,
      ...(sqsEndpoint === undefined ? {} : { endpoint: sqsEndpoint }),
    },
    storage: {
      bucket: bucketName,
      region,
      ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
      prefix: `${node.id}/`,
    },
    storages: providers.map((provider) => nodeStorage(provider, node, settings)),
    sites: sites.map(viewNodeSite).sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
  // A version stands for keys that were replaced.
  const versions = providers.map(({ version }) => version);
  const text = JSON.stringify([stable, nodeLimits(settings), versions]);
  return { ...stable, revision: createHash("sha256").update(text).digest("hex").slice(0, 16) };
}

function nodeStorage(
  { id, bucket, region, endpoint, force_path_style: isPathStyle, features }: ProviderRecord,
  node: NodeRecord,
  { s3Endpoint }: NodeConfigSettings,
): NodeStorage {
  const address = endpoint ?? s3Endpoint;
  return {
    provider_id: id,
    bucket,
    region,
    ...(address === undefined ? {} : { endpoint: address }),
    ...(isPathStyle === undefined ? {} : { force_path_style: isPathStyle }),
    prefix: `${node.id}/`,
    ...(features === undefined ? {} : { features }),
  };
}

export function nodeLimits(settings: NodeConfigSettings): NodeConfig["limits"] {
  return {
    heartbeat_seconds: settings.heartbeatSeconds,
    progress_seconds: settings.progressSeconds,
    upload_bytes_per_second: settings.uploadBytesPerSecond ?? null,
  };
}
