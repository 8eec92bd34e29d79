// Preconditions and byte ranges of HTTP (RFC 9110) as S3 applies them. Pure.
import { S3Error } from "./s3-error.ts";

export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  readonly ifUnmodifiedSince?: string | undefined;
}

interface Version {
  readonly etag: string;
  readonly modifiedMs: number;
}

/** Whether a read may go on. A condition on time counts only where none on the ETag decides. */
export function checkRead(conditions: Conditions, version: Version): "ok" | "not-modified" | "failed" {
  const modifiedSecond = Math.floor(version.modifiedMs / 1000) * 1000;
  if (conditions.ifMatch !== undefined) {
    if (!etagListed(conditions.ifMatch, version.etag)) return "failed";
  } else if (modifiedSecond > httpDate(conditions.ifUnmodifiedSince, Number.POSITIVE_INFINITY)) {
    return "failed";
  }
  if (conditions.ifNoneMatch !== undefined) {
    return etagListed(conditions.ifNoneMatch, version.etag) ? "not-modified" : "ok";
  }
  return modifiedSecond <= httpDate(conditions.ifModifiedSince, Number.NEGATIVE_INFINITY)
    ? "not-modified"
    : "ok";
}

/** Throws if a write may not replace what is there: 412, or 404 for If-Match on nothing. */
export function requireWritable(conditions: Conditions, current: Version | undefined): void {
  if (conditions.ifNoneMatch !== undefined && conditions.ifNoneMatch !== "*") {
    throw new S3Error("NotImplemented", "If-None-Match on a write takes only *.");
  }
  if (conditions.ifNoneMatch !== undefined && current !== undefined) throw failed("If-None-Match");
  if (conditions.ifMatch === undefined) return;
  if (current === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
  if (!etagListed(conditions.ifMatch, current.etag)) throw failed("If-Match");
}

/** Throws 412 if the source of a copy is not as the copier believes. */
export function requireCopyable(conditions: Conditions, source: Version): void {
  if (checkRead(conditions, source) !== "ok") throw failed("x-amz-copy-source-if");
}

function failed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    Condition: condition,
  });
}

function etagListed(list: string, etag: string): boolean {
  return list
    .split(",")
    .map((entry) => entry.trim().replace(/^W\//, "").replaceAll('"', ""))
    .some((entry) => entry === "*" || entry === etag);
}

function httpDate(text: string | undefined, fallback: number): number {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? fallback : ms;
}

export interface ByteRange {
  readonly startBytes: number;
  readonly lengthBytes: number;
}

/** The range a Range header asks of `bytes`, or undefined for the whole (also when it is not understood). */
export function parseRange(header: string | undefined, bytes: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const startBytes = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
  const endBytes = first === "" || last === "" ? bytes : Math.min(bytes, Number(last) + 1);
  if (startBytes >= endBytes) {
    throw new S3Error("InvalidRange", "The requested range is not satisfiable", { ActualObjectSize: bytes });
  }
  return { startBytes, lengthBytes: endBytes - startBytes };
}

/** A copy's range is strict: it must be `bytes=first-last` and lie within the source. */
export function parseCopyRange(header: string | undefined, bytes: number): ByteRange {
  if (header === undefined) return { startBytes: 0, lengthBytes: bytes };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new S3Error(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last.",
    );
  }
  if (Number(last) >= bytes) {
    throw new S3Error("InvalidArgument", `Range specified is not valid for source object of size: ${bytes}`);
  }
  return { startBytes: Number(first), lengthBytes: Number(last) - Number(first) + 1 };
}
