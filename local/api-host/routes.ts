// Which function serves which request, by API Gateway's rules: the whole path has to match, a literal segment wins
// over a variable, and what nothing matches goes to $default.
import type { HttpEvent, ServerlessFile } from "#local/serverless-file.ts";

export interface Route {
  /** As API Gateway writes it: `GET /api/v1/sites/{id}`, or `$default`. */
  readonly key: string;
  readonly method: string;
  readonly segments: readonly string[];
  readonly functionName: string;
  /** The function that authorizes first, if the route has one. */
  readonly authorizer: string | undefined;
}

export interface RouteMatch {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

export function readRoutes(file: ServerlessFile): Route[] {
  return [...routesOfFunctions(file), ...routesOfResources(file)];
}

/** Routes written by hand: they name their authorizer and their function by serverless' names for those resources. */
function routesOfResources(file: ServerlessFile): Route[] {
  const named = (prefix: string, names: readonly string[], text: string): string | undefined =>
    names.find((name) => text.includes(`${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`));
  const { authorizers } = file.provider.httpApi;
  return Object.values(file.resources.Resources).flatMap(({ Type, Properties }) => {
    if (Type !== "AWS::ApiGatewayV2::Route") return [];
    const key = String(Properties.RouteKey);
    const target = JSON.stringify(Properties.Target);
    const functionName = named("HttpApiIntegration", Object.keys(file.functions), target);
    const id = JSON.stringify(Properties.AuthorizerId ?? "");
    const name = named("HttpApiAuthorizer", Object.keys(authorizers), id);
    if (functionName === undefined) throw new Error(`serverless.yml: ${key} has no target.`);
    return [{ ...parseKey(key), functionName, authorizer: name && authorizers[name]?.functionName }];
  });
}

function parseKey(key: string): Pick<Route, "key" | "method" | "segments"> {
  const [method = "", path = ""] = key.split(" ");
  return { key, method, segments: path.split("/").slice(1) };
}

function routesOfFunctions(file: ServerlessFile): Route[] {
  return Object.entries(file.functions).flatMap(([functionName, { events = [] }]) =>
    events.flatMap(({ httpApi }) => {
      if (httpApi === undefined) return [];
      const [key, name] =
        typeof httpApi === "string" ? [httpApi] : [keyOf(httpApi), httpApi.authorizer?.name];
      const authorizer =
        name === undefined ? undefined : file.provider.httpApi.authorizers[name]?.functionName;
      if (name !== undefined && authorizer === undefined) throw new Error(`There is no authorizer ${name}.`);
      return [{ ...parseKey(key === "*" ? "$default" : key), functionName, authorizer }];
    }),
  );
}

/** `rawPath` is still percent-encoded. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  rawPath: string,
): RouteMatch | undefined {
  const segments = rawPath.split("/").slice(1);
  const matches = routes
    .filter((route) => route.key !== "$default" && route.method === method && fits(route.segments, segments))
    .sort((a, b) => variables(a) - variables(b));
  const [route] = matches;
  if (route !== undefined) {
    const pairs = route.segments.flatMap((name, at) =>
      isVariable(name) ? [[name.slice(1, -1), decode(segments[at] ?? "")] as const] : [],
    );
    return { route, pathParameters: Object.fromEntries(pairs) };
  }
  const fallback = routes.find((one) => one.key === "$default");
  return fallback && { route: fallback, pathParameters: {} };
}

function keyOf({ method = "ANY", path = "" }: HttpEvent): string {
  return `${method.toUpperCase()} ${path}`;
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, at) => (isVariable(part) ? segments[at] !== "" : part === segments[at]))
  );
}

function variables(route: Route): number {
  return route.segments.filter(isVariable).length;
}

function isVariable(segment: string): boolean {
  return segment.startsWith("{");
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // API Gateway passes on what it cannot decode.
    return segment;
  }
}
