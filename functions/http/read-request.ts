// From an API Gateway event to checked input: size, media type, JSON, and every fault against the schemas at once.
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { z } from "zod";
import { BackupError } from "#shared/errors.ts";
import type { Operation } from "#shared/operations.ts";

export const MAX_BODY_BYTES = 256 * 1024;

export interface CheckedInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Throws `payload_too_large`, `unsupported_media_type`, `malformed_json` or `invalid_request`. */
export function readRequest(operation: Operation, event: APIGatewayProxyEventV2): CheckedInput {
  const json = operation.body === undefined ? undefined : readJson(event);
  const issues: Issue[] = [];
  const check = (schema: z.ZodType | undefined, value: unknown): unknown => {
    if (schema === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    issues.push(...parsed.error.issues.flatMap(listIssues));
    return undefined;
  };
  const input = {
    params: check(operation.params, event.pathParameters ?? {}),
    query: check(operation.query, event.queryStringParameters ?? {}),
    body: check(operation.body, json),
  };
  if (issues.length > 0) {
    const [first] = issues;
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
    const detail =
      first === undefined ? undefined : `${first.path || "The request"}: ${first.message}${more}`;
    throw new BackupError("invalid_request", {
      ...(detail === undefined ? {} : { detail }),
      data: { issues },
    });
  }
  return input;
}

/** Decoded for API Gateway's base64 of bodies that it does not take for text. */
function readJson(event: APIGatewayProxyEventV2): unknown {
  const raw = event.body ?? "";
  const bytes = Buffer.from(raw, event.isBase64Encoded ? "base64" : "utf8");
  if (bytes.length > MAX_BODY_BYTES) throw new BackupError("payload_too_large");
  // No body counts as an empty object: calls whose fields are all optional need none.
  if (bytes.length === 0) return {};
  const mediaType = (event.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") throw new BackupError("unsupported_media_type");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BackupError("malformed_json", { cause });
  }
}

function listIssues(issue: z.core.$ZodIssue): Issue[] {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({
    path: [...issue.path, key].join("."),
    message: "is not a field of this request",
  }));
}
