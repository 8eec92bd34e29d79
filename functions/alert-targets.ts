// Where alerts go: admins add, remove and test the places one by one. Their addresses come in here and stay in the
// parameter; no answer and no activity record says more than a host.
import { TEST_MESSAGE } from "./core/alerts.ts";
import { checkEndpoint } from "./core/public-address.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openAlertTargetList } from "./stores/alert-target-list.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, alertTargets: openAlertTargetList },
  {
    async listAlertTargets(_request, deps) {
      return { items: await deps.alertTargets.all() };
    },

    async createAlertTarget({ body, activity }, deps) {
      if (body.kind !== "email") checkEndpoint(body.url, deps.config.isPrivateStorageAllowed, "url");
      const target = await deps.alertTargets.add(body);
      activity.details = { ...target };
      return target;
    },

    async deleteAlertTarget({ params, activity }, deps) {
      activity.details = { ...(await deps.alertTargets.remove(params.id)) };
    },

    async testAlertTarget({ params, activity }, deps) {
      const { target, error } = await deps.alertTargets.test(params.id, TEST_MESSAGE);
      activity.details = { name: target.name, error: error?.message ?? null };
      return { id: target.id, name: target.name, error: error?.message ?? null };
    },
  },
);
