// Who changed what.
import { type ApiHandler, serve } from "./http/serve.ts";

export const handler: ApiHandler = serve({
  async listActivity({ query }, deps) {
    return deps.records.activity.list(query);
  },
});
