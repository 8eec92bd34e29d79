// What a failure of the storage means to an operator: refused, out of reach, or broken.
import type { FullReason } from "#shared/contracts/backups.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";

const NETWORK: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "TimeoutError",
  "NetworkingError",
]);
const DENIED: ReadonlySet<string> = new Set([
  "AccessDenied",
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidToken",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "CredentialsProviderError",
]);

/** What new credentials or another try cure. */
const EXPIRED: ReadonlySet<string> = new Set(["ExpiredToken", "RequestTimeout", "RequestTimeTooSkewed"]);

/** HTTP status of an SDK error, if an answer came at all. */
export function statusOf(error: unknown): number | undefined {
  const metadata = property(error, "$metadata");
  const status = property(metadata, "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

/** A 403 with another name than these is about the object: S3's word for a missing one to whoever may not list. */
const DENIED_CALL: ReadonlySet<string> = new Set([...EXPIRED, "InvalidAccessKeyId", "SignatureDoesNotMatch"]);

/** Why a storage will not copy a part, if that is what its error says and asking again would not help. */
export function copyRefusal(error: unknown): FullReason | undefined {
  const name = textOf(error, "name") ?? "";
  const status = statusOf(error);
  // Shorter than the range that is wanted of it is another object, too (Ceph heeds no if-match here).
  if (status === 412 || status === 416) return "source_changed";
  if (name === "InvalidObjectState") return "source_cold";
  if (status === 404) return name === "NoSuchUpload" ? undefined : "source_gone";
  if (status === 403 && !DENIED_CALL.has(name)) return "source_gone";
  const isRefused = status === 400 || status === 403 || status === 405 || status === 501;
  if (isRefused && !EXPIRED.has(name)) return "copy_refused";
  // Asked again and again by now: it is there, but it does not copy. A cut connection says nothing about that; the SDK
  // names it a TimeoutError, too.
  const isSilent = name === "TimeoutError" && textOf(error, "code") === undefined;
  const hasFailed = isSilent || (status !== undefined && status >= 500);
  return hasFailed ? "copy_failed" : undefined;
}

/** `what`: the operation and the key, for the detail. */
export function storageError(error: unknown, what: string): BackupError {
  if (error instanceof BackupError) return error;
  const name = textOf(error, "name") ?? "Error";
  const code = textOf(error, "code") ?? "";
  const status = statusOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const said = [name, message === name ? "" : message].filter((part) => part !== "").join(": ");
  return new BackupError(kindOf(name, code, status), {
    detail: `${what}: ${said}${status === undefined ? "" : ` (HTTP ${status})`}`,
    cause: error,
  });
}

function kindOf(name: string, code: string, status: number | undefined): ErrorCode {
  if (DENIED.has(name) || status === 401 || status === 403) return "storage_denied";
  if (NETWORK.has(code) || NETWORK.has(name)) return "storage_unreachable";
  return "storage_failed";
}

function textOf(value: unknown, name: string): string | undefined {
  const found = property(value, name);
  return typeof found === "string" ? found : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
