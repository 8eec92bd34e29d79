// API Gateway and Lambda on loopback: the routes of serverless.yml, its authorizer asked first, and the very handler
// files, run in this process.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type Config, parseConfig } from "#functions/config.ts";
import { type AllDeps, openBase, provideDeps } from "#functions/deps.ts";
import { openAlertTargetList } from "#functions/stores/alert-target-list.ts";
import { openIssuerKeys } from "#functions/stores/jwks.ts";
import { openManifests } from "#functions/stores/manifests.ts";
import { openNodeCredentials } from "#functions/stores/node-credentials.ts";
import { openNotifier } from "#functions/stores/notifier.ts";
import { openObjectList } from "#functions/stores/object-list.ts";
import { openOwnObjects } from "#functions/stores/objects.ts";
import { openProviderProbe } from "#functions/stores/provider-probe.ts";
import { openProviderSecrets } from "#functions/stores/provider-secrets.ts";
import { openQueues } from "#functions/stores/queues.ts";
import { openRecords } from "#functions/stores/records.ts";
import { openSchedules } from "#functions/stores/schedules.ts";
import { openStorages } from "#functions/stores/storages.ts";
import { type EnforcementOptions, enforceRoles } from "#local/iam/enforce-roles.ts";
import { PROJECT_ROOT, readServerlessFile, type ServerlessFile } from "#local/serverless-file.ts";
import { toEvent } from "./event.ts";
import { matchRoute, readRoutes } from "./routes.ts";

const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface ApiHostOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Put into the environment of this process while the host runs, as Lambda does for a function. */
  readonly env?: Readonly<Record<string, string>>;
  /** Replaces parts of what the handlers work with, for instance the clock. */
  readonly deps?: Partial<AllDeps>;
  /** What the functions' roles are about, and who watches: a function may do here only what it may do on AWS. */
  readonly roles?: EnforcementOptions;
  /** Asked first; true when it has answered. What CloudFront does in front of the API: see local/dashboard/. */
  readonly pages?: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<boolean>;
  /** Called when a handler throws; API Gateway only answers 500. */
  readonly onError?: (error: unknown) => void;
}

export interface ApiHost extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Runs a function of serverless.yml by its name with an event that does not come over HTTP. */
  readonly invoke: Invoke;
  close(): Promise<void>;
}

type Invoke = (functionName: string, event: unknown) => Promise<unknown>;

/** One at a time per process: the handlers share its environment. */
export async function startApiHost(options: ApiHostOptions): Promise<ApiHost> {
  const file = await readServerlessFile();
  const routes = readRoutes(file);
  const roles = options.roles && enforceRoles(options.roles);
  const run = await loadFunctions(file);
  const invoke: Invoke =
    roles === undefined ? run : (name, event) => roles.runAs(name, () => run(name, event));
  const { onError = () => undefined, pages = async () => false } = options;

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    if (await pages(incoming, outgoing)) return;
    const body = await readBody(incoming);
    if (body === undefined) return send(outgoing, message(413, "Request Entity Too Large"));
    const match = matchRoute(routes, incoming.method ?? "GET", (incoming.url ?? "/").split("?")[0] ?? "/");
    if (match === undefined) return send(outgoing, message(404, "Not Found"));
    const event = toEvent(incoming, body, match);
    const { authorizer, functionName } = match.route;
    const isAllowed = authorizer === undefined || (await authorize(event, authorizer, invoke));
    if (!isAllowed) return send(outgoing, message(403, "Forbidden"));
    send(outgoing, (await invoke(functionName, event)) as APIGatewayProxyStructuredResultV2);
  };
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: unknown) => {
      onError(error);
      if (outgoing.headersSent) outgoing.destroy();
      else send(outgoing, message(500, "Internal Server Error"));
    });
  });

  const restoreEnvironment = setEnvironment(options.env ?? {});
  try {
    provideDeps({ ...openAll(parseConfig(process.env)), ...options.deps });
    await listen(server, options.port);
  } catch (error) {
    restoreEnvironment();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await closed;
    provideDeps(undefined);
    roles?.[Symbol.dispose]();
    restoreEnvironment();
  };
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    invoke,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function openAll(config: Config): AllDeps {
  return {
    ...openBase(config),
    records: openRecords(config),
    queues: openQueues(config),
    schedules: openSchedules(config),
    objects: openOwnObjects(config),
    objectList: openObjectList(config),
    storages: openStorages(config),
    providerSecrets: openProviderSecrets(config),
    providerProbe: openProviderProbe(config),
    manifests: openManifests(config),
    nodeCredentials: openNodeCredentials(config),
    notifier: openNotifier(config),
    alertTargets: openAlertTargetList(config),
    issuerKeys: openIssuerKeys(config),
  };
}

async function loadFunctions(file: ServerlessFile): Promise<Invoke> {
  type Handler = (event: unknown, context: unknown) => Promise<unknown>;
  const handlers = new Map<string, Handler>();
  for (const [name, { handler }] of Object.entries(file.functions)) {
    const [path, exported] = [handler.slice(0, handler.lastIndexOf(".")), handler.split(".").at(-1)];
    const module: unknown = await import(pathToFileURL(join(PROJECT_ROOT, `${path}.ts`)).href);
    const found = (module as Record<string, Handler>)[exported ?? ""];
    if (found === undefined) throw new Error(`serverless.yml: ${handler} does not exist.`);
    handlers.set(name, found);
  }
  return async (name, event) => {
    const handler = handlers.get(name);
    if (handler === undefined) throw new Error(`serverless.yml: there is no function ${name}.`);
    const seconds = file.functions[name]?.timeout ?? file.provider.timeout;
    const endsAtMs = performance.now() + seconds * 1000;
    return handler(event, {
      functionName: name,
      awsRequestId: randomUUID(),
      getRemainingTimeInMillis: () => Math.max(0, endsAtMs - performance.now()),
    });
  };
}

/** Adds the authorizer's context to the event, as API Gateway does for a simple response. */
async function authorize(
  event: APIGatewayProxyEventV2,
  authorizer: string,
  invoke: Invoke,
): Promise<boolean> {
  const { body: _body, isBase64Encoded: _encoding, ...rest } = event;
  const routeArn = `arn:aws:execute-api:local:000000000000:local/$default/${event.routeKey.replace(" ", "")}`;
  const request = { ...rest, type: "REQUEST", routeArn, identitySource: null };
  const answer = (await invoke(authorizer, request)) as { isAuthorized: boolean; context?: unknown };
  Object.assign(event.requestContext, { authorizer: { lambda: answer.context ?? null } });
  return answer.isAuthorized === true;
}

/** undefined when it is larger than API Gateway takes; the rest is read and dropped so that the answer arrives. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

function send(outgoing: ServerResponse, result: APIGatewayProxyStructuredResultV2): void {
  const { statusCode = 200, headers = {}, cookies = [], body = "", isBase64Encoded = false } = result;
  const bytes = Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, String(value));
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  if (statusCode !== 204) outgoing.setHeader("content-length", bytes.length);
  outgoing.writeHead(statusCode).end(bytes);
}

function message(statusCode: number, text: string): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message: text }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
}

/** Returns what puts the former values back. */
function setEnvironment(env: Readonly<Record<string, string>>): () => void {
  const former = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  return () => {
    for (const [name, value] of former) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
