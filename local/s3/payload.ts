// The body of a request as verified bytes: whatever way the client chose to vouch for it (signed hash, signed
// chunks, checksum header or trailer, Content-MD5), a body that was read to its end here is the body that was
// meant. Each digest is one pass, and none is computed twice.
import { createHash, type Hash } from "node:crypto";
import type { Authentication } from "./authenticate.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import {
  CHECKSUM_ALGORITHMS,
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  digestBytes,
  isChecksumAlgorithm,
  type RunningChecksum,
  startChecksum,
} from "./checksums.ts";
import { S3Error } from "./s3-error.ts";

export type HeaderLookup = (name: string) => string | undefined;

export interface PayloadOptions {
  readonly authentication: Authentication;
  readonly header: HeaderLookup;
  readonly maxBytes: number;
  /** Compute this checksum even if the client sent none. */
  readonly wanted?: ChecksumAlgorithm | undefined;
  /** Whether the caller needs the MD5 (as ETag). */
  readonly md5: boolean;
}

export interface PayloadSummary {
  readonly bytes: number;
  readonly md5: string;
  readonly checksum?: Checksum;
}

/** Feeds the body to `sink`, then resolves once all that was promised of it is verified; else S3Error. */
export async function receivePayload(
  source: AsyncIterable<Buffer>,
  options: PayloadOptions,
  sink: (chunk: Buffer) => Promise<void> | void,
): Promise<PayloadSummary> {
  const framing = readFraming(options);
  const claimed = claimedChecksum(options.header);
  const contentMd5 = claimedMd5(options.header);
  const digests = new Digests({
    md5: options.md5 || contentMd5 !== undefined,
    payloadSha256: framing.sha256 !== undefined,
    checksum: claimed?.algorithm ?? options.wanted,
  });

  let bytes = 0;
  let trailers: ReadonlyMap<string, string> = new Map();
  const reader = readData(source, framing, options.authentication, (received) => {
    trailers = received;
  });
  for await (const chunk of reader) {
    bytes += chunk.length;
    if (bytes > framing.bytes) throw new S3Error("IncompleteBody", "The body is longer than announced.");
    digests.update(chunk);
    await sink(chunk);
  }
  if (bytes !== framing.bytes)
    throw new S3Error("IncompleteBody", `The body has ${bytes} bytes, not ${framing.bytes}.`);

  const result = digests.finish();
  if (framing.sha256 !== undefined && result.payloadSha256 !== framing.sha256) {
    throw new S3Error(
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match.",
    );
  }
  if (contentMd5 !== undefined && contentMd5 !== result.md5) {
    throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  if (claimed !== undefined) checkClaim(claimed, trailers, result.checksum?.value);
  return { bytes, md5: result.md5, ...(result.checksum === undefined ? {} : { checksum: result.checksum }) };
}

interface Framing {
  readonly bytes: number;
  readonly chunked: "no" | "signed" | "unsigned";
  readonly sha256?: string;
}

const FRAMINGS: Readonly<Record<string, "signed" | "unsigned">> = {
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": "signed",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": "signed",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": "unsigned",
};

function readFraming(options: PayloadOptions): Framing {
  const { payloadHash } = options.authentication;
  const chunked = FRAMINGS[payloadHash] ?? "no";
  const length = options.header(chunked === "no" ? "content-length" : "x-amz-decoded-content-length");
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw new S3Error("MissingContentLength", "You must provide the length of the body.");
  }
  const bytes = Number(length);
  if (bytes > options.maxBytes) {
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      MaxSizeAllowed: options.maxBytes,
    });
  }
  if (chunked !== "no" || payloadHash === "UNSIGNED-PAYLOAD") return { bytes, chunked };
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return { bytes, chunked, sha256: payloadHash };
  throw new S3Error("InvalidArgument", "x-amz-content-sha256 is not a SHA-256 or a payload mode known here.");
}

async function* readData(
  source: AsyncIterable<Buffer>,
  framing: Framing,
  authentication: Authentication,
  onTrailers: (trailers: ReadonlyMap<string, string>) => void,
): AsyncGenerator<Buffer> {
  if (framing.chunked === "no") {
    yield* source;
  } else {
    const signer = framing.chunked === "signed" ? authentication.signer : undefined;
    onTrailers(yield* decodeAwsChunked(source, signer));
  }
}

interface ClaimedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Absent when it comes in a trailer. */
  readonly value?: string;
}

function claimedChecksum(header: HeaderLookup): ClaimedChecksum | undefined {
  const trailer = header("x-amz-trailer")?.trim().toLowerCase();
  const claims = CHECKSUM_ALGORITHMS.flatMap((algorithm): ClaimedChecksum[] => {
    const name = checksumHeader(algorithm);
    const value = header(name);
    if (value !== undefined) return [{ algorithm, value }];
    return trailer === name ? [{ algorithm }] : [];
  });
  if (claims.length > 1) throw new S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header.");
  const [claim] = claims;
  if (claim?.value !== undefined) requireDigest(claim.algorithm, claim.value);
  const announced = (header("x-amz-sdk-checksum-algorithm") ?? claim?.algorithm)?.toUpperCase();
  if (announced === undefined) return claim;
  if (!isChecksumAlgorithm(announced)) {
    throw new S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.");
  }
  if (announced !== claim?.algorithm) {
    throw new S3Error(
      "InvalidRequest",
      `x-amz-sdk-checksum-algorithm ${announced} comes without its checksum.`,
    );
  }
  return claim;
}

function requireDigest(algorithm: ChecksumAlgorithm, value: string): void {
  const digest = Buffer.from(value, "base64");
  if (digest.length === digestBytes(algorithm) && digest.toString("base64") === value) return;
  throw new S3Error("InvalidRequest", `Value for ${checksumHeader(algorithm)} header is invalid.`);
}

function checkClaim(
  claim: ClaimedChecksum,
  trailers: ReadonlyMap<string, string>,
  actual: string | undefined,
): void {
  const expected = claim.value ?? trailers.get(checksumHeader(claim.algorithm));
  if (expected === undefined) {
    throw new S3Error("MalformedTrailerError", "The announced checksum trailer did not come.");
  }
  if (expected !== actual) {
    throw new S3Error(
      "BadDigest",
      `The ${claim.algorithm} you specified did not match the calculated checksum.`,
    );
  }
}

function claimedMd5(header: HeaderLookup): string | undefined {
  const value = header("content-md5");
  if (value === undefined) return undefined;
  const digest = Buffer.from(value, "base64");
  if (digest.length !== 16) throw new S3Error("InvalidDigest", "The Content-MD5 you specified is not valid.");
  return digest.toString("hex");
}

class Digests {
  readonly #md5: Hash | undefined;
  readonly #sha256: Hash | undefined;
  readonly #algorithm: ChecksumAlgorithm | undefined;
  readonly #checksum: RunningChecksum | undefined;

  constructor(want: { md5: boolean; payloadSha256: boolean; checksum: ChecksumAlgorithm | undefined }) {
    this.#md5 = want.md5 ? createHash("md5") : undefined;
    this.#sha256 = want.payloadSha256 ? createHash("sha256") : undefined;
    this.#algorithm = want.checksum;
    // A SHA-256 checksum over the same bytes is the payload hash: no second pass.
    const shared = want.checksum === "SHA256" && want.payloadSha256;
    this.#checksum = want.checksum === undefined || shared ? undefined : startChecksum(want.checksum);
  }

  update(chunk: Buffer): void {
    this.#md5?.update(chunk);
    this.#sha256?.update(chunk);
    this.#checksum?.update(chunk);
  }

  finish(): { md5: string; payloadSha256: string | undefined; checksum: Checksum | undefined } {
    const sha256 = this.#sha256?.digest();
    const digest = this.#checksum?.digest() ?? sha256;
    return {
      md5: this.#md5?.digest("hex") ?? "",
      payloadSha256: sha256?.toString("hex"),
      checksum:
        this.#algorithm === undefined || digest === undefined
          ? undefined
          : { algorithm: this.#algorithm, type: "FULL_OBJECT", value: digest.toString("base64") },
    };
  }
}
