// What a node asks of the Master for itself: to be let in, what to work on and with, and that it is alive.

import type { NodeCredentials } from "#shared/contracts/nodes.ts";
import { BackupError } from "#shared/errors.ts";
import { nodeConfig, nodeLimits, providersOf } from "./core/node-config.ts";
import type { EnrollmentTokenRecord, NodeRecord, ProviderRecord, SiteRecord } from "./core/records.ts";
import { sealTo } from "./core/seal.ts";
import { identifyToken, isSameHash } from "./core/secret-token.ts";
import { viewEnrollmentToken } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { loadNode, nodeIdOf } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openNodeCredentials } from "./stores/node-credentials.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, queues: openQueues, nodeCredentials: openNodeCredentials },
  {
    async enrollNode({ body, activity }, deps) {
      const now = deps.now().toISOString();
      const { id: tokenId, tenant } = await openToken(body.token, deps);
      const keyTaken = new BackupError("conflict", {
        detail: "A node with this signing key is already enrolled.",
        hint: "Remove the identity files on the node to enrol it as a new one.",
      });
      if (await deps.records.nodes.signingKeyTaken(body.signing_key)) throw keyTaken;

      // The queue comes first: if it cannot be made the token is not burnt, and if another enrolment wins the
      // transaction nothing but an empty queue is left to remove.
      const nodeId = deps.randomUuid();
      const queueUrl = await deps.queues.create(nodeId);
      const node: NodeRecord = {
        id: nodeId,
        life: "live",
        ...(tenant === undefined ? {} : { tenant }),
        name: body.name,
        state: "active",
        created_at: now,
        signing_key: body.signing_key,
        age_recipient: body.age_recipient,
        queue_url: queueUrl,
        site_count: 0,
        version: body.version,
      };
      const isEnrolled = await deps.records.transact([
        deps.records.enrollmentTokens.useItem(tokenId, nodeId, now),
        ...deps.records.nodes.createItems(node),
      ]);
      if (!isEnrolled) {
        await removeQueue(queueUrl, deps);
        if (await deps.records.nodes.signingKeyTaken(body.signing_key)) throw keyTaken;
        throw new BackupError("enrollment_token_invalid");
      }
      activity.actor = { kind: "node", id: nodeId, label: node.name };
      activity.details = { name: node.name, version: body.version, enrollment_token_id: tokenId };
      return { node_id: nodeId, audience: deps.config.audience };
    },

    async getNodeConfig({ principal }, deps) {
      const node = await loadNode(nodeIdOf(principal), deps);
      const sites = await deps.records.sites.ofNode(node.id);
      const providers = await loadProviders(sites, deps);
      const credentials = await issueAll(node.id, providers, deps);
      return {
        ...nodeConfig(node, sites, providers, deps.config),
        server_time: deps.now().toISOString(),
        credentials: await sealTo(node.age_recipient, JSON.stringify(credentials)),
        limits: nodeLimits(deps.config),
      };
    },

    async heartbeatNode({ principal, body }, deps) {
      const now = deps.now().toISOString();
      const node = await loadNode(nodeIdOf(principal), deps);
      const [sites] = await Promise.all([
        deps.records.sites.ofNode(node.id),
        deps.records.nodes.heartbeat(node.id, body, now),
      ]);
      const providers = await loadProviders(sites, deps);
      return { server_time: now, config_revision: nodeConfig(node, sites, providers, deps.config).revision };
    },
  },
);

type AgentDeps = Deps<"records" | "queues" | "nodeCredentials">;

async function loadProviders(sites: readonly SiteRecord[], deps: AgentDeps): Promise<ProviderRecord[]> {
  const found = await Promise.all(providersOf(sites).map((id) => deps.records.providers.get(id)));
  return found.filter((provider) => provider !== undefined);
}

/** A storage whose keys cannot be had is left out: its trouble is no other's, and its sites' backups say what is wrong. */
async function issueAll(
  nodeId: string,
  providers: readonly ProviderRecord[],
  deps: AgentDeps,
): Promise<NodeCredentials> {
  const [own, ...others] = await Promise.all([
    deps.nodeCredentials.issue(nodeId),
    ...providers.map(async (provider) => {
      try {
        return [[provider.id, await deps.nodeCredentials.issueFor(nodeId, provider)]] as const;
      } catch (error) {
        deps.log.error("a storage's keys cannot be had", {
          provider_id: provider.id,
          error: error as Error,
        });
        return [];
      }
    }),
  ]);
  return others.length === 0 ? own : { ...own, providers: Object.fromEntries(others.flat()) };
}

async function openToken(token: string, deps: AgentDeps): Promise<EnrollmentTokenRecord> {
  const { id, hash } = identifyToken(token);
  const record = await deps.records.enrollmentTokens.get(id);
  if (
    record === undefined ||
    !isSameHash(record.hash, hash) ||
    viewEnrollmentToken(record, deps.now()).state !== "open"
  ) {
    throw new BackupError("enrollment_token_invalid");
  }
  return record;
}

async function removeQueue(queueUrl: string, deps: AgentDeps): Promise<void> {
  try {
    await deps.queues.remove(queueUrl);
  } catch (error) {
    // An empty queue without a node costs nothing; the refusal is what the caller has to hear.
    deps.log.warn("queue of a refused enrolment stays", { queue_url: queueUrl, error: error as Error });
  }
}
