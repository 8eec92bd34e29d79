// A POST that is sent again with its Idempotency-Key has one effect and one answer (draft-ietf-httpapi-idempotency-key-header).
// The answer that is kept may hold a new token, so it is sealed, and the only key to it is the caller's Idempotency-Key,
// which is nowhere stored: hence it has to be random (docs/adr/0028).
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { IdempotencyKey } from "#shared/contracts/common.ts";
import { BackupError } from "#shared/errors.ts";

export const KEEP_MS = 24 * 3_600_000;
/** A call of the API takes less than a second as a rule. */
const RETRY_SECONDS = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface IdempotencyRecord {
  readonly id: string;
  /** The call that holds the record, or held it. */
  readonly attempt: string;
  readonly state: "in_flight" | "done" | "released";
  readonly fingerprint: string;
  /** From then on it counts for nothing. */
  readonly expires_at: string;
  readonly answer?: string;
}

export interface CallIdentity {
  readonly id: string;
  readonly fingerprint: string;
  readonly sealKey: Uint8Array;
}

/** Throws `invalid_request`. */
export function checkKey(key: string): string {
  const parsed = IdempotencyKey.safeParse(key);
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues[0]?.message ?? "is not valid";
  throw new BackupError("invalid_request", {
    detail: `Idempotency-Key ${message}.`,
    data: { issues: [{ path: "Idempotency-Key", message }] },
  });
}

/** Whose call it is, which one, and with which checked input. */
export function identifyCall(
  call: { readonly key: string; readonly principal: string; readonly operation: string },
  input: unknown,
): CallIdentity {
  const info = `${call.principal}\n${call.operation}`;
  const bytes = new Uint8Array(hkdfSync("sha256", call.key, "backupd idempotency 1", info, 96));
  const hash = createHmac("sha256", bytes.subarray(32, 64)).update(JSON.stringify(input));
  return {
    id: Buffer.from(bytes.subarray(0, 32)).toString("hex"),
    fingerprint: hash.digest("hex"),
    sealKey: bytes.subarray(64),
  };
}

/**
 * The sealed answer of the first call; undefined when the key is free after all.
 * @throws BackupError `idempotency_mismatch`, `idempotency_in_flight`.
 */
export function keptAnswer(
  record: IdempotencyRecord | undefined,
  fingerprint: string,
  now: Date,
): string | undefined {
  // DynamoDB clears an item away some time after its end.
  if (record === undefined || record.state === "released" || record.expires_at <= now.toISOString())
    return undefined;
  if (record.fingerprint !== fingerprint) throw new BackupError("idempotency_mismatch");
  if (record.answer !== undefined) return record.answer;
  throw new BackupError("idempotency_in_flight", { data: { retry_after_seconds: RETRY_SECONDS } });
}

/** AES-256-GCM; `nonce` is 12 random bytes. */
export function sealAnswer(sealKey: Uint8Array, nonce: Uint8Array, text: string): string {
  const cipher = createCipheriv("aes-256-gcm", sealKey, nonce);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
    "base64",
  );
}

/** Throws when the text was not sealed with this key. */
export function openAnswer(sealKey: Uint8Array, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", sealKey, bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
}
