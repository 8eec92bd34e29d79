// Whether the Master is up: deliberately without a look at the stores, so that a probe costs nothing.
import { type ApiHandler, serve } from "./http/serve.ts";

export const handler: ApiHandler = serve(
  {},
  {
    async getHealth(_request, { config, now }) {
      return { status: "ok", version: config.version, time: now().toISOString() };
    },
  },
);
