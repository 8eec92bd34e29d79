// Errors as RFC 9457 problem documents: the same fields for every error, and never a stack or a secret.
import { ERROR_KINDS } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import type { HttpAnswer } from "./http-answer.ts";

export function problemAnswer(error: BackupError, requestId: string): HttpAnswer {
  const { issues, retry_after_seconds: retryAfter, ...data } = error.data ?? {};
  const kind = ERROR_KINDS[error.code];
  const body = {
    type: `https://backupd.dev/errors/${error.code}`,
    title: kind.title,
    status: error.status,
    code: error.code,
    detail: error.message,
    hint: error.hint,
    retry: error.retry,
    request_id: requestId,
    ...(typeof retryAfter === "number" ? { retry_after_seconds: retryAfter } : {}),
    ...(Array.isArray(issues) ? { issues } : {}),
    ...data,
  };
  return {
    statusCode: error.status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(typeof retryAfter === "number" ? { "retry-after": String(Math.ceil(retryAfter)) } : {}),
      ...(error.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
    body: JSON.stringify(body),
  };
}

/** What a caller may know of an error: ours as it is, anything else only that it happened. */
export function publicError(error: unknown): BackupError {
  return error instanceof BackupError ? error : new BackupError("internal", { cause: error });
}
