// Requests become events in API Gateway's format 2.0, over a real socket.
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toEvent } from "#local/api-host/event.ts";

const route = { key: "POST /x/{id}", method: "POST", segments: [], functionName: "x", authorizer: undefined };
const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const event = toEvent(incoming, Buffer.concat(chunks), { route, pathParameters: { id: "7" } });
    outgoing.end(JSON.stringify(event));
  });
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

function send(
  path: string,
  headers: Record<string, string | string[]>,
  body = "",
): Promise<APIGatewayProxyEventV2> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: "127.0.0.1", method: "POST", path, headers, agent: false },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("end", () => resolve(JSON.parse(text) as APIGatewayProxyEventV2));
      },
    );
    request.on("error", reject).end(body);
  });
}

test("path, query, headers, cookies and body arrive as AWS passes them on", async () => {
  const headers = {
    "X-Two": ["a", "b"],
    Cookie: "a=1; b=2",
    "Content-Type": "application/json; charset=utf-8",
  };
  const event = await send("/x/7?a=1&a=2&b=%20c", headers, '{"ü":1}');
  expect(event).toMatchObject({
    version: "2.0",
    routeKey: "POST /x/{id}",
    rawPath: "/x/7",
    rawQueryString: "a=1&a=2&b=%20c",
    queryStringParameters: { a: "1,2", b: " c" },
    pathParameters: { id: "7" },
    cookies: ["a=1", "b=2"],
    headers: { "x-two": "a,b" },
    body: '{"ü":1}',
    isBase64Encoded: false,
    requestContext: { http: { method: "POST", path: "/x/7" }, stage: "$default" },
  });
  expect(event.headers).not.toHaveProperty("cookie");
});

test("what is not text comes as base64; nothing comes as nothing", async () => {
  const binary = await send("/x/7", { "content-type": "application/octet-stream" }, "abc");
  expect([binary.body, binary.isBase64Encoded]).toEqual(["YWJj", true]);
  const empty = await send("/x/7", {});
  expect(empty).not.toHaveProperty("body");
  expect(empty).not.toHaveProperty("queryStringParameters");
});
