// What an operator's first look asks: who am I here, and does anything need me?
import { BackupError } from "#shared/errors.ts";
import { summarizeFleet } from "./core/fleet-summary.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async getMe({ principal }) {
      if (principal?.kind !== "operator") throw new BackupError("unauthenticated");
      const { id, label, role, tenant = null } = principal;
      return { id, label, role, tenant };
    },

    async getFleetSummary(_request, deps) {
      const [sites, nodes] = await Promise.all([deps.records.sites.all(), deps.records.nodes.all()]);
      return summarizeFleet(sites, nodes, deps.now(), deps.config.heartbeatSeconds);
    },
  },
);
