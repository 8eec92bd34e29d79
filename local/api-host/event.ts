// An HTTP request as the event that API Gateway would make of it (payload format 2.0).
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { RouteMatch } from "./routes.ts";

/** What API Gateway passes on as text; everything else comes as base64. */
const TEXT = /^(text\/.*|application\/(json|javascript|xml|.*\+json|.*\+xml))$/;

export function toEvent(
  incoming: IncomingMessage,
  body: Buffer,
  { route, pathParameters }: RouteMatch,
): APIGatewayProxyEventV2 {
  const [rawPath = "/", ...rest] = (incoming.url ?? "/").split("?");
  const rawQueryString = rest.join("?");
  const { cookie, ...headers } = joinHeaders(incoming);
  const mediaType = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const isBase64Encoded = body.length > 0 && !TEXT.test(mediaType);
  const query = joinQuery(rawQueryString);
  const now = new Date();
  const method = incoming.method ?? "GET";
  return {
    version: "2.0",
    routeKey: route.key,
    rawPath,
    rawQueryString,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; ?/) }),
    headers,
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    requestContext: {
      accountId: "000000000000",
      apiId: "local",
      domainName: headers.host ?? "127.0.0.1",
      domainPrefix: "local",
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${incoming.httpVersion}`,
        sourceIp: incoming.socket.remoteAddress ?? "127.0.0.1",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: route.key,
      stage: "$default",
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? "base64" : "utf8") }),
    isBase64Encoded,
  };
}

/** Names in lower case; several headers of one name become one, joined by commas. */
function joinHeaders(incoming: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(incoming.headersDistinct).map(([name, values]) => [
    name,
    (values ?? []).join(name === "cookie" ? "; " : ","),
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function joinQuery(rawQueryString: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  }
  return joined;
}
