// What the watch has found, and whether anybody would hear of it.
import { TEST_MESSAGE } from "./core/alerts.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openNotifier } from "./stores/notifier.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, notifier: openNotifier },
  {
    async listAlerts(_request, deps) {
      const alerts = await deps.records.alerts.all();
      const open = alerts.filter(({ state }) => state === "open");
      return { items: open.sort((a, b) => (a.opened_at < b.opened_at ? 1 : -1)) };
    },

    async testAlerts({ activity }, deps) {
      const deliveries = await deps.notifier.tell(TEST_MESSAGE);
      const targets = deliveries.map(({ name, error }) => ({ name, error: error?.message ?? null }));
      activity.target = { kind: "alert", id: "test" };
      activity.details = { targets };
      return { targets };
    },
  },
);
