// SNS, SES and SSM on loopback, as far as alerts use them, and a webhook's receiver: keeps what was sent, and refuses when told.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeNotifyServices extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Statuses of the next answers; then all is well again. */
  readonly refusals: number[];
  /** The value of the SSM parameter of alert targets; undefined: there is none. */
  parameter: string | undefined;
  /** The values of others, by name. */
  readonly parameters: Map<string, string>;
}

const ALERT_TARGETS = "/backupd/local/alert-targets";
const PUBLISHED =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';

export async function startFakeNotifyServices(): Promise<FakeNotifyServices> {
  const received: Received[] = [];
  const refusals: number[] = [];
  let version = 1;
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { url: path = "/", headers } = incoming;
    const body = Buffer.concat(chunks).toString();
    const isParameter = String(headers["x-amz-target"]).startsWith("AmazonSSM.");
    if (headers["x-amz-target"] === "AmazonSSM.PutParameter") {
      services.parameter = (JSON.parse(body) as { Value: string }).Value;
      version += 1;
      return void outgoing.end(JSON.stringify({ Version: version }));
    }
    if (!isParameter) received.push({ path, headers, body });
    const status = isParameter ? undefined : refusals.shift();
    if (status !== undefined) {
      outgoing.writeHead(status).end();
    } else if (isParameter && parameterOf(body) === undefined) {
      outgoing.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
      outgoing.end(JSON.stringify({ __type: "ParameterNotFound" }));
    } else if (isParameter) {
      outgoing.end(JSON.stringify({ Parameter: { Name: "p", Value: parameterOf(body), Version: version } }));
    } else {
      outgoing.end(body.includes("Action=Publish") ? PUBLISHED : JSON.stringify({ MessageId: "1" }));
    }
  };
  const parameterOf = (body: string): string | undefined => {
    const { Name: name } = JSON.parse(body) as { Name: string };
    return services.parameters.get(name) ?? (name === ALERT_TARGETS ? services.parameter : undefined);
  };
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const services: FakeNotifyServices = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    refusals,
    parameter: undefined,
    parameters: new Map(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return services;
}

/** What points the SDK at them. */
export function notifyEnvironment({ url }: FakeNotifyServices): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_SNS: url,
    AWS_ENDPOINT_URL_SESV2: url,
    AWS_ENDPOINT_URL_SSM: url,
    ALERT_TOPIC_ARN: "arn:aws:sns:us-east-1:000000000000:backupd-local-alarms",
    ALERT_TARGETS_PARAMETER: ALERT_TARGETS,
  };
}
