// Whatever no route takes: a path with a slash at its end is sent to the one without; the rest is told what is wrong.
import { BackupError } from "#shared/errors.ts";
import { API_BASE, OPERATIONS } from "#shared/operations.ts";
import { lazyDeps } from "./deps.ts";
import { type ApiHandler, lambdaHandler } from "./http/lambda-handler.ts";

export const handler: ApiHandler = lambdaHandler(lazyDeps({}), async (event) => {
  const { rawPath, rawQueryString } = event;
  const path = rawPath.replace(/\/+$/, "");
  const methods = methodsOf(path);
  if (path !== rawPath && methods.length > 0) {
    const query = rawQueryString === "" ? "" : `?${rawQueryString}`;
    // 308 keeps the method and the body. The path begins with API_BASE, so it cannot lead to another host.
    return { statusCode: 308, headers: { location: `${path}${query}` } };
  }
  const { method } = event.requestContext.http;
  if (methods.length > 0) {
    throw new BackupError("method_not_allowed", {
      detail: `${path} takes ${methods.join(", ")}, not ${method}.`,
    });
  }
  throw new BackupError("not_found", { detail: "There is no such path.", hint: "See /api/v1/openapi.json." });
});

/** The methods that the path takes; none if it is not one of the API's. */
function methodsOf(path: string): string[] {
  return Object.values(OPERATIONS)
    .filter((operation) => {
      const pattern = `${API_BASE}${operation.path}`.replaceAll(".", "\\.").replace("{id}", "[^/]+");
      return new RegExp(`^${pattern}$`).test(path);
    })
    .map((operation) => operation.method);
}
