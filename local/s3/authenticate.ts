// Decides who signed a request, by AWS Signature Version 4 in the Authorization header or in the query of a
// presigned URL; every way to be refused is in this file.
import { timingSafeEqual } from "node:crypto";
import {
  canonicalRequest,
  credentialScope,
  type QueryPairs,
  requestSignature,
  type SignedParts,
  type SigningScope,
  signingKey,
} from "./canonical-request.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import { S3Error } from "./s3-error.ts";

const MAX_SKEW_MS = 15 * 60 * 1000;
const MAX_PRESIGN_SECONDS = 7 * 24 * 3600;

/** Enough to check the signatures of the chunks that follow the headers. */
export interface ChunkSigner {
  readonly key: Buffer;
  readonly timestamp: string;
  readonly scope: string;
  readonly seedSignature: string;
}

export interface Authentication {
  readonly accessKeyId: string;
  readonly credential: Credential;
  readonly presigned: boolean;
  /** Hex SHA-256, UNSIGNED-PAYLOAD or one of the STREAMING- modes. */
  readonly payloadHash: string;
  readonly signer: ChunkSigner;
}

interface Claim {
  readonly accessKeyId: string;
  readonly scope: SigningScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly sessionToken: string | undefined;
  readonly payloadHash: string;
  /** Set for a presigned URL. */
  readonly expiresSeconds?: number;
}

export interface AuthenticateDeps {
  readonly credentials: CredentialSource;
  readonly now: () => Date;
  readonly service: "s3" | "sts" | "ssm";
}

/**
 * The signer of a request. `bodyHash` is the body's hash for services that do not name it in a header.
 * Throws S3Error: AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed, ExpiredToken,
 * InvalidToken or a malformed-authorization code.
 */
export async function authenticate(
  parts: SignedParts,
  deps: AuthenticateDeps,
  bodyHash?: string,
): Promise<Authentication> {
  const claim = readClaim(parts, bodyHash);
  if (claim.scope.service !== deps.service || claim.scope.date !== claim.scope.timestamp.slice(0, 8)) {
    throw new S3Error("AuthorizationHeaderMalformed", "The credential scope has a wrong date or service.");
  }
  checkTime(claim, deps.now());
  const credential = await deps.credentials.find(claim.accessKeyId);
  if (
    credential === undefined ||
    (credential.sessionToken !== undefined && claim.sessionToken === undefined)
  ) {
    throw new S3Error("InvalidAccessKeyId", "The access key id does not exist here.");
  }
  const key = signingKey(credential.secretAccessKey, claim.scope);
  const canonical = canonicalRequest(parts, claim.signedHeaders, claim.payloadHash);
  if (!equalInConstantTime(requestSignature(key, claim.scope, canonical), claim.signature)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The signature does not match the request. Check key and signing.",
    );
  }
  checkSession(credential, claim.sessionToken, deps.now());
  return {
    accessKeyId: claim.accessKeyId,
    credential,
    presigned: claim.expiresSeconds !== undefined,
    payloadHash: claim.payloadHash,
    signer: {
      key,
      timestamp: claim.scope.timestamp,
      scope: credentialScope(claim.scope),
      seedSignature: claim.signature,
    },
  };
}

export function equalInConstantTime(expected: string, received: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(received);
  return a.length === b.length && timingSafeEqual(a, b);
}

function readClaim(parts: SignedParts, bodyHash: string | undefined): Claim {
  const authorization = parts.headers.get("authorization")?.[0];
  const query = queryValue(parts.query, "X-Amz-Algorithm");
  if (authorization !== undefined && query !== undefined) {
    throw new S3Error("InvalidArgument", "Only one authentication mechanism is allowed.");
  }
  const claim =
    authorization === undefined
      ? readQueryClaim(parts, query)
      : readHeaderClaim(parts, authorization, bodyHash);
  for (const name of parts.headers.keys()) {
    if ((name === "host" || name.startsWith("x-amz-")) && !claim.signedHeaders.includes(name)) {
      throw new S3Error("AccessDenied", `The header ${name} is present but not signed.`);
    }
  }
  return claim;
}

function readHeaderClaim(parts: SignedParts, authorization: string, bodyHash: string | undefined): Claim {
  const fields =
    /^AWS4-HMAC-SHA256 +Credential=([^ ,]+) *, *SignedHeaders=([^ ,]+) *, *Signature=([0-9a-f]{64})$/.exec(
      authorization.trim(),
    );
  const [, credential, signedHeaders, signature] = fields ?? [];
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw new S3Error("AuthorizationHeaderMalformed", "The Authorization header is not AWS4-HMAC-SHA256.");
  }
  const payloadHash = bodyHash ?? parts.headers.get("x-amz-content-sha256")?.[0];
  if (payloadHash === undefined) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  const timestamp = parts.headers.get("x-amz-date")?.[0] ?? "";
  return {
    ...readCredential(credential, timestamp),
    signedHeaders: signedHeaders.split(";"),
    signature,
    sessionToken: parts.headers.get("x-amz-security-token")?.[0],
    payloadHash,
  };
}

function readQueryClaim(parts: SignedParts, algorithm: string | undefined): Claim {
  if (algorithm === undefined) throw new S3Error("AccessDenied", "The request is not signed.");
  const value = (name: string): string => queryValue(parts.query, name) ?? "";
  const expiresText = value("X-Amz-Expires");
  const expiresSeconds = /^\d{1,7}$/.test(expiresText) ? Number(expiresText) : 0;
  if (algorithm !== "AWS4-HMAC-SHA256" || expiresSeconds < 1 || expiresSeconds > MAX_PRESIGN_SECONDS) {
    throw new S3Error(
      "AuthorizationQueryParametersError",
      `X-Amz-Algorithm must be AWS4-HMAC-SHA256 and X-Amz-Expires 1 to ${MAX_PRESIGN_SECONDS} seconds.`,
    );
  }
  return {
    ...readCredential(value("X-Amz-Credential"), value("X-Amz-Date")),
    signedHeaders: value("X-Amz-SignedHeaders").split(";"),
    signature: value("X-Amz-Signature"),
    sessionToken: queryValue(parts.query, "X-Amz-Security-Token"),
    payloadHash:
      queryValue(parts.query, "X-Amz-Content-Sha256") ??
      parts.headers.get("x-amz-content-sha256")?.[0] ??
      "UNSIGNED-PAYLOAD",
    expiresSeconds,
  };
}

function readCredential(credential: string, timestamp: string): Pick<Claim, "accessKeyId" | "scope"> {
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split("/");
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator !== "aws4_request" ||
    rest.length > 0
  ) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      "The credential is not KEY/DATE/REGION/SERVICE/aws4_request.",
    );
  }
  return { accessKeyId, scope: { timestamp, date, region, service } };
}

function checkTime(claim: Claim, now: Date): void {
  const signedAt = parseTimestamp(claim.scope.timestamp);
  if (signedAt === undefined) throw new S3Error("AccessDenied", "The request has no valid x-amz-date.");
  const ageMs = now.getTime() - signedAt;
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(ageMs) <= MAX_SKEW_MS) return;
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request's time and ours is too large.",
      {
        RequestTime: claim.scope.timestamp,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: MAX_SKEW_MS,
      },
    );
  }
  if (ageMs < -MAX_SKEW_MS) throw new S3Error("AccessDenied", "Request is not valid yet");
  if (ageMs > claim.expiresSeconds * 1000) throw new S3Error("AccessDenied", "Request has expired");
}

function parseTimestamp(text: string): number | undefined {
  const digits = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (digits === null) return undefined;
  const [, year, month, day, hour, minute, second] = digits;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function checkSession(credential: Credential, sessionToken: string | undefined, now: Date): void {
  const expected = credential.sessionToken;
  const same =
    expected === undefined ? sessionToken === undefined : equalInConstantTime(expected, sessionToken ?? "");
  if (!same) throw new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.");
  if (credential.expiresAt !== undefined && now >= credential.expiresAt) {
    throw new S3Error("ExpiredToken", "The provided token has expired.");
  }
}

function queryValue(query: QueryPairs, name: string): string | undefined {
  return query.find(([candidate]) => candidate === name)?.[1];
}
