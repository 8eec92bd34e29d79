// The API's description, made from the same table that serves it.
import { openapi } from "./core/openapi.ts";
import { type ApiHandler, serve } from "./http/serve.ts";

export const handler: ApiHandler = serve(
  {},
  {
    async getOpenapi(_request, { config }) {
      return openapi(config.version);
    },
  },
);
