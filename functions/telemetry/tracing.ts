// X-Ray by Powertools' tracer, loaded with the first call that is sampled: its SDK would make up a third of every cold start.
// Neither answers nor outgoing requests are put into traces: an answer may hold a new token, and a webhook's address is a
// secret.
import type { Tracer } from "@aws-lambda-powertools/tracer";
import type middy from "@middy/core";
import { isTraced } from "../config.ts";
import { SERVICE } from "./powertools.ts";

type Layer = Required<Pick<middy.MiddlewareObj, "before" | "after" | "onError">>;
type Client = Parameters<Tracer["captureAWSv3Client"]>[0];

let tracer: Tracer | undefined;
let layer: Layer | undefined;
const clients: Client[] = [];

async function load(): Promise<void> {
  if (tracer !== undefined || !isTraced(process.env)) return;
  const [powertools, { captureLambdaHandler }] = await Promise.all([
    import("@aws-lambda-powertools/tracer"),
    import("@aws-lambda-powertools/tracer/middleware"),
  ]);
  tracer = new powertools.Tracer({ serviceName: SERVICE, captureHTTPsRequests: false });
  layer = captureLambdaHandler(tracer, { captureResponse: false }) as Layer;
  for (const client of clients.splice(0)) tracer.captureAWSv3Client(client);
}

/** For middy. */
export const traced: Layer = {
  async before(request) {
    await load();
    await layer?.before(request);
  },
  after: (request) => layer?.after(request),
  onError: (request) => layer?.onError(request),
};

/** Makes a trace one that can be searched for. */
export function annotate(key: string, value: string): void {
  tracer?.putAnnotation(key, value);
}

export function noteFailure(error: Error): void {
  tracer?.addErrorAsMetadata(error);
}

/** Each call of the client is a part of the trace. */
export function traceClient<C>(client: C): C {
  if (tracer === undefined) clients.push(client as Client);
  else tracer.captureAWSv3Client(client as Client);
  return client;
}
