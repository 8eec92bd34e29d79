// What a storage's refusal means, in words for operators.
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";

export interface StorageFault {
  readonly code: Extract<ErrorCode, "storage_denied" | "storage_unreachable" | "storage_failed">;
  /** HTTP status, if an answer came. */
  readonly status: number | undefined;
  /** As the storage or the network calls it, for instance `NoSuchBucket` or `ENOTFOUND`. */
  readonly name: string;
  readonly text: string;
}

const DENIED = new Set(["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"]);
const NETWORK =
  /^E(CONN\w+|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|PIPE|TIMEDOUT|PROTO)$|^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED)|^Timeout/;
const MAX_TEXT = 300;
const PLAIN: Readonly<Record<string, string>> = {
  NoSuchBucket: "There is no such bucket.",
  InvalidAccessKeyId: "The access key id is not known there.",
  SignatureDoesNotMatch: "The secret does not belong to the access key id.",
  ENOTFOUND: "The endpoint's name does not exist.",
  ECONNREFUSED: "Nothing listens at the endpoint.",
  TimeoutError: "The storage did not answer in time.",
  AbortError: "The storage did not answer in time.",
};

export function storageFault(error: unknown): StorageFault {
  const status = numberAt(error, "$metadata", "httpStatusCode");
  const name = textAt(error, "code") ?? textAt(error, "name") ?? "Error";
  const code =
    DENIED.has(name) || status === 401 || status === 403
      ? "storage_denied"
      : NETWORK.test(name) || name === "AbortError"
        ? "storage_unreachable"
        : "storage_failed";
  const said = PLAIN[name] ?? shown(error instanceof Error ? error.message : String(error));
  const http = status === undefined ? "" : ` (HTTP ${status} ${name})`;
  return { code, status, name, text: `${said}${http}` };
}

/** `what` was tried. Ours stay as they are. */
export function storageError(error: unknown, what: string): BackupError {
  if (error instanceof BackupError) return error;
  const { code, text } = storageFault(error);
  return new BackupError(code, { detail: `${what}: ${text}`, cause: error });
}

/** What a strange server says goes onto people's screens. */
function shown(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").slice(0, MAX_TEXT);
}

function textAt(value: unknown, name: string): string | undefined {
  const found = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === "string" && found !== "" ? shown(found) : undefined;
}

function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  let at: unknown = value;
  for (const name of path) at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined;
  return typeof at === "number" ? at : undefined;
}
