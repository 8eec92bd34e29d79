// What a node is told to work with, and the revision that tells it when to ask again.
import { createHash } from "node:crypto";
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import type { NodeRecord, SiteRecord } from "./records.ts";
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

type StableConfig = Pick<NodeConfig, "node_id" | "revision" | "queue" | "storage" | "sites">;

/** `revision` changes exactly when something in here that matters to the node does. */
export function nodeConfig(
  node: NodeRecord,
  sites: readonly SiteRecord[],
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
    sites: sites.map(viewNodeSite).sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
  const text = JSON.stringify([stable, nodeLimits(settings)]);
  return { ...stable, revision: createHash("sha256").update(text).digest("hex").slice(0, 16) };
}

export function nodeLimits(settings: NodeConfigSettings): NodeConfig["limits"] {
  return {
    heartbeat_seconds: settings.heartbeatSeconds,
    progress_seconds: settings.progressSeconds,
    upload_bytes_per_second: settings.uploadBytesPerSecond ?? null,
  };
}
