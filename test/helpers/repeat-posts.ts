// A Master whose clients send each POST twice under one Idempotency-Key, as somebody does who has lost the first answer. Held
// against everything that a test does anyway, it shows that no POST, also one to come, has a second effect.
import { randomUUID } from "node:crypto";
import { API_BASE, OPERATIONS, type Operation, type OperationId } from "#shared/operations.ts";
import { type ApiClient, ProblemError, type RawAnswer } from "./api-client.ts";
import type { Master } from "./master.ts";

export interface Repeated {
  readonly operation: string;
  readonly first: RawAnswer;
  readonly second: RawAnswer;
}

export const POSTS = Object.entries(OPERATIONS).filter(([, { method }]) => method === "POST");

export function repeatPosts(master: Master, onRepeat: (repeated: Repeated) => void): Master {
  const twice = (client: ApiClient): ApiClient => repeating(client, onRepeat);
  const admin = twice(master.admin);
  return {
    ...master,
    admin,
    anonymous: twice(master.anonymous),
    withToken: (token) => twice(master.withToken(token)),
    operator: async (...of) => twice(await master.operator(...of)),
    async enrolNode(...named) {
      const node = await master.enrolNode(...named);
      return { ...node, client: twice(node.client) };
    },
    createSite: (nodeId, name = "shop.example.com", path = `/var/www/${name}`) =>
      admin.call("createSite", { body: { node_id: nodeId, name, path } }),
  };
}

function repeating(client: ApiClient, onRepeat: (repeated: Repeated) => void): ApiClient {
  const request: ApiClient["request"] = async (method, path, input = {}) => {
    if (method !== "POST") return client.request(method, path, input);
    const keyed = { ...input, headers: { ...input.headers, "idempotency-key": randomUUID() } };
    const first = await client.request(method, path, keyed);
    // One that failed may succeed when it is sent again.
    if (first.status < 300) {
      onRepeat({ operation: operationAt(path), first, second: await client.request(method, path, keyed) });
    }
    return first;
  };
  return {
    request,
    async call(id, input = {}) {
      const operation: Operation = OPERATIONS[id];
      if (operation.method !== "POST") return client.call(id, input);
      const path = operation.path.replace("{id}", input.id ?? "");
      const answer = await request("POST", path, input.body === undefined ? {} : { body: input.body });
      if (answer.status === operation.status) return answer.json;
      throw new ProblemError(id, answer.status, answer.json ?? { code: "none", detail: answer.text });
    },
  };
}

function operationAt(path: string): OperationId | "none" {
  const below = path.replace(API_BASE, "");
  const found = POSTS.find(([, operation]) =>
    new RegExp(`^${operation.path.replace("{id}", "[^/]+")}/?$`).test(below),
  );
  return (found?.[0] as OperationId | undefined) ?? "none";
}
