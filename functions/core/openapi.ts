// OpenAPI 3.1 made from the table of operations; its schema dialect is JSON Schema 2020-12, which zod writes itself.
import * as z from "zod";
import { IdempotencyKey, Problem } from "#shared/contracts/common.ts";
import { IDEMPOTENCY_HEADER } from "#shared/headers.ts";
import { API_BASE, OPERATIONS, type Operation } from "#shared/operations.ts";

type Json = Record<string, unknown>;

export function openapi(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries(OPERATIONS) as [string, Operation][]) {
    const path = `${API_BASE}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(id, operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Backupd Master", version, description: "Backups for fleets of WordPress sites." },
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem, "output") },
      securitySchemes: {
        operator: { type: "http", scheme: "bearer", description: "An API token: bkp_…" },
        node: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "EdDSA, signed by the node itself",
        },
      },
    },
  };
}

function describe(id: string, operation: Operation): Json {
  const { access, answer, body, summary } = operation;
  const good =
    answer === undefined
      ? { description: "Done" }
      : { description: "Done", content: { "application/json": { schema: schemaOf(answer, "output") } } };
  const security = access === "public" ? [] : [{ [access === "node" ? "node" : "operator"]: [] }];
  return {
    operationId: id,
    summary,
    ...(access === "public" || access === "node" ? {} : { description: `Needs the role ${access}.` }),
    security,
    parameters: [
      ...parameters(operation.params, "path"),
      ...parameters(operation.query, "query"),
      ...(operation.method === "POST" ? [idempotencyParameter()] : []),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { content: { "application/json": { schema: schemaOf(body, "input") } } } }),
    responses: {
      [operation.status]: good,
      default: {
        description: "A problem (RFC 9457)",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function idempotencyParameter(): Json {
  return {
    name: IDEMPOTENCY_HEADER,
    in: "header",
    required: false,
    description:
      "Random. The same key and request again, within a day, get the first answer again (with Idempotency-Replayed: true) " +
      "instead of a second effect; another request with it gets 422, and one sent while the first is at work 409.",
    schema: schemaOf(IdempotencyKey, "input"),
  };
}

function parameters(schema: z.ZodObject | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  // Coerced query values take anything before they are read; what they become is what a caller should send.
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return json;
}
