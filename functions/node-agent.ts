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
import type { NodeKeys } from "./stores/node-records.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, queues: openQueues, nodeCredentials: openNodeCredentials },
  {
    async enrollNode({ body, activity }, deps) {
      const now = deps.now().toISOString();
      const token = await openToken(body.token, deps);
      const keyTaken = new BackupError("conflict", {
        detail: "A node with this signing key is already enrolled.",
        hint: "Remove the identity files on the node to enrol it as a new one.",
      });
      if (await deps.records.nodes.signingKeyTaken(body.signing_key)) throw keyTaken;

      // The queue comes first: if it cannot be made the token is not burnt, and if another enrolment wins the
      // transaction nothing but an empty queue is left to remove.
      const nodeId = token.node_id ?? deps.randomUuid();
      const known = token.node_id === undefined ? undefined : await loadNode(token.node_id, deps);
      const queueUrl = await deps.queues.create(nodeId);
      const { signing_key, age_recipient, version } = body;
      const own = { signing_key, age_recipient, version, queue_url: queueUrl };
      const { nodes, enrollmentTokens } = deps.records;
      const isEnrolled = await deps.records.transact([
        enrollmentTokens.useItem(token.id, nodeId, now),
        ...(known === undefined
          ? nodes.createItems(newNode(nodeId, body.name, own, token, now))
          : nodes.rekeyItems(known, own)),
      ]);
      if (!isEnrolled) {
        if (known === undefined) await removeQueue(queueUrl, deps);
        if (await nodes.signingKeyTaken(body.signing_key)) throw keyTaken;
        throw new BackupError("enrollment_token_invalid");
      }
      const name = known?.name ?? body.name;
      activity.actor = { kind: "node", id: nodeId, label: name };
      activity.details = { name, version, enrollment_token_id: token.id, new_keys: known !== undefined };
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

function newNode(
  id: string,
  name: string,
  own: NodeKeys,
  { tenant }: EnrollmentTokenRecord,
  now: string,
): NodeRecord {
  const whose = tenant === undefined ? {} : { tenant };
  return { id, life: "live", ...whose, name, state: "active", created_at: now, ...own, site_count: 0 };
}

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
