// Nodes as operators see and steer them.
import { BackupError } from "#shared/errors.ts";
import { viewNode } from "./core/view.ts";
import { loadNode } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";

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

    async patchNode({ params, body, activity }, deps) {
      await loadNode(params.id, deps);
      const changed = await deps.records.nodes.change(params.id, body);
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
