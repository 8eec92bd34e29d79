// Writes docs/API.md from the table of operations and its schemas, so that the page says what the Master checks.
// `npm run docs` runs it; a unit test fails when the page and the table differ.
import { writeFileSync } from "node:fs";
import { z } from "zod";
import { API_BASE, OPERATIONS, type Operation } from "#shared/operations.ts";

const ACCESS: Readonly<Record<Operation["access"], string>> = {
  public: "anybody",
  node: "an enrolled node",
  viewer: "viewer",
  operator: "operator",
  admin: "admin",
};

export function apiPage(): string {
  const operations = Object.values(OPERATIONS) as Operation[];
  return [
    "# API",
    "",
    "Made from `shared/operations.ts` by `npm run docs`; do not edit. `GET /api/v1/openapi.json` has the same for programs.",
    "",
    `Everything is below \`${API_BASE}\`: JSON in snake_case, bytes as integers, times in ISO 8601 UTC, ids as UUIDs. Unknown`,
    "fields are refused. A slash at the end is accepted. Lists take `limit` (1 to 200) and `cursor` and answer",
    "`{items, next_cursor}`; a page may be short and still have a next one. Errors are `application/problem+json`",
    "(RFC 9457) with a stable `code` and a `hint`: see [ERRORS.md](ERRORS.md). Operators send",
    "`Authorization: Bearer <API token>`; roles include what the ones before may: viewer, operator, admin. Nodes sign a",
    "short JWT for each call.",
    "",
    "Every POST takes `Idempotency-Key`, a random UUID: the same key and request again, within a day, get the first answer",
    "again (with `Idempotency-Replayed: true`) instead of a second effect. Another request with that key gets 422",
    "`idempotency_mismatch`, one sent while the first is at work 409 `idempotency_in_flight` with `Retry-After`; a call that",
    "failed has let its key go. Send a new key for each thing that you want done, and the same one when you do not know",
    "whether a call arrived.",
    "",
    "Every answer has `X-Correlation-Id`: the one that came with the call, or the trace id of its `traceparent`, or one of the",
    "Master's. It is in the Master's log, on the job and the activity that come of the call, and in the runner's log.",
    "",
    "| call | who | what |",
    "|---|---|---|",
    ...operations.map(
      ({ method, path, access, fleetWide, summary }) =>
        `| \`${method} ${path}\` | ${ACCESS[access]}${fleetWide ? " of the whole fleet" : ""} | ${summary} |`,
    ),
    "",
    ...operations.flatMap(details),
  ].join("\n");
}

function details(operation: Operation): string[] {
  const { method, path, query, body, answer, status } = operation;
  if (query === undefined && body === undefined) return [];
  return [
    `## ${method} ${path}`,
    "",
    `Answers ${status}${answer === undefined ? " without a body" : ""}.`,
    "",
    ...(query === undefined ? [] : ["Query:", "", ...fields(query)]),
    ...(body === undefined ? [] : ["Body:", "", ...fields(body)]),
  ];
}

interface JsonSchema {
  readonly type?: string | string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

function fields(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const variants = json.oneOf ?? json.anyOf ?? [json];
  return variants.flatMap((variant) => [...fieldTable(variant), ""]);
}

function fieldTable({ properties = {}, required = [] }: JsonSchema): string[] {
  const rows = Object.entries(properties).map(([name, property]) => {
    const needed = required.includes(name) ? "required" : defaultOf(property);
    return `| \`${name}\` | ${typeOf(property)} | ${needed} | ${property.description ?? ""} |`;
  });
  return rows.length === 0 ? ["An empty object."] : ["| field | type | | |", "|---|---|---|---|", ...rows];
}

function defaultOf(property: JsonSchema): string {
  return property.default === undefined ? "optional" : `default \`${JSON.stringify(property.default)}\``;
}

function typeOf(property: JsonSchema): string {
  const { anyOf, const: fixed, enum: values, items, type } = property;
  if (fixed !== undefined) return `\`${JSON.stringify(fixed)}\``;
  if (values !== undefined) return values.map((value) => `\`${JSON.stringify(value)}\``).join(" or ");
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ");
  if (items !== undefined) return `list of ${typeOf(items)}${limits(property)}`;
  return `${[type ?? "any"].flat().join(" or ")}${limits(property)}`;
}

function limits({ minimum, maximum, maxLength, maxItems }: JsonSchema): string {
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  const parts = [
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : `≥ ${minimum}`,
    bounded ? `≤ ${maximum}` : undefined,
    maxLength === undefined ? undefined : `≤ ${maxLength} characters`,
    maxItems === undefined ? undefined : `≤ ${maxItems}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

if (import.meta.main) writeFileSync(new URL("../docs/API.md", import.meta.url), apiPage());
