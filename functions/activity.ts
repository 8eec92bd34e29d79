// Who changed what.
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async listActivity({ query }, deps) {
      return deps.records.activity.list(query);
    },
  },
);
