// Nodes as operators see and steer them.
import { BackupError } from "#shared/errors.ts";
import { tenantOf } from "./core/principal.ts";
import { viewNode } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { loadNode } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, queues: openQueues },
  {
    async listNodes({ query }, deps) {
      const page = await deps.records.nodes.list(query);
      return { ...page, items: page.items.map(viewNode) };
    },

    async getNode({ params }, deps) {
      return viewNode(await loadNode(params.id, deps));
    },

    async patchNode({ params, body, principal, activity }, deps) {
      const { tenant, ...change } = body;
      if (tenant !== undefined && tenantOf(principal) !== undefined)
        throw new BackupError("fleet_owner_only");
      await loadNode(params.id, deps);
      if (tenant !== undefined) await giveNode(params.id, tenant ?? undefined, deps);
      const changed = await deps.records.nodes.change(params.id, change);
      if (changed === undefined)
        throw new BackupError("not_found", { detail: `There is no node ${params.id}.` });
      activity.details = { ...body };
      return viewNode(changed);
    },

    async deleteNode({ params, activity }, deps) {
      const node = await loadNode(params.id, deps);
      if (!(await deps.records.nodes.remove(node))) {
        throw new BackupError("conflict", {
          detail: "The node still has sites.",
          hint: "Delete its sites first; their backups stay.",
        });
      }
      await deps.queues.remove(node.queue_url);
      activity.details = { name: node.name };
      return undefined;
    },
  },
);

/** A node with a tenant has that tenant's sites only: they go first. */
async function giveNode(id: string, tenant: string | undefined, deps: Deps<"records">): Promise<void> {
  await settleRace(async () => {
    const node = await loadNode(id, deps);
    if (tenant !== undefined) {
      const listed = await deps.records.sites.ofNode(id);
      // Read again one by one: the list may lag behind, and a site that it lacks makes the counts differ.
      const sites = await Promise.all(listed.map((site) => deps.records.sites.get(site.id)));
      if (sites.length !== node.site_count) return undefined;
      const others = sites.filter((site) => site?.tenant !== tenant).length;
      if (others > 0) {
        throw new BackupError("conflict", {
          detail: `${others} of the node's sites ${others === 1 ? "is" : "are"} not of the tenant ${tenant}.`,
          hint: "Move each with PATCH /api/v1/sites/{id}, or delete it; then give the node away.",
        });
      }
    }
    return (await deps.records.nodes.changeTenant(node, tenant)) ? true : undefined;
  });
}
