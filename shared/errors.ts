// The one error type of both sides of the wire: a stable code, whether trying again helps, and what an
// operator can do about it. The codes are in error-kinds.ts; docs/ERRORS.md is generated from them.
import { ERROR_KINDS, type ErrorCode, type RetryClass } from "./error-kinds.ts";

export interface BackupErrorOptions {
  /** Specifics of this occurrence, without secrets: the one line an operator reads first. */
  readonly detail?: string;
  /** Replaces the code's general hint where this occurrence has a more precise remedy. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Machine-readable specifics that may be shown to the caller (never secrets). */
  readonly data?: Readonly<Record<string, unknown>>;
}

export class BackupError extends Error {
  readonly code: ErrorCode;
  readonly retry: RetryClass;
  readonly hint: string;
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, options: BackupErrorOptions = {}) {
    const kind = ERROR_KINDS[code];
    super(options.detail ?? kind.title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BackupError";
    this.code = code;
    this.retry = kind.retry;
    this.hint = options.hint ?? kind.hint;
    this.status = kind.status;
    this.data = options.data;
  }
}

/** `error` itself if it is ours, otherwise it wrapped as `fallback` so that nothing without a code gets out. */
export function asBackupError(error: unknown, fallback: ErrorCode): BackupError {
  if (error instanceof BackupError) return error;
  const detail = error instanceof Error ? `${ERROR_KINDS[fallback].title}: ${error.message}` : undefined;
  return new BackupError(fallback, { cause: error, ...(detail === undefined ? {} : { detail }) });
}
