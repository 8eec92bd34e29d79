// The five checksum algorithms of S3 behind one running interface, and how the checksum of a multipart object
// follows from those of its parts.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { CRC32, CRC32C, CRC64NVME, type CrcKind, joinCrcs, RunningCrc } from "./crc.ts";

export const CHECKSUM_ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];
export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64; a composite one ends in "-" and the number of parts. */
  readonly value: string;
}

export interface RunningChecksum {
  update(chunk: Uint8Array): unknown;
  digest(): Buffer;
}

const CRC_KINDS: Partial<Record<ChecksumAlgorithm, CrcKind>> = { CRC32, CRC32C, CRC64NVME };

export function isChecksumAlgorithm(text: string): text is ChecksumAlgorithm {
  return CHECKSUM_ALGORITHMS.some((algorithm) => algorithm === text);
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function crcKind(algorithm: ChecksumAlgorithm): CrcKind | undefined {
  return CRC_KINDS[algorithm];
}

export function digestBytes(algorithm: ChecksumAlgorithm): number {
  if (algorithm === "SHA1") return 20;
  if (algorithm === "SHA256") return 32;
  return algorithm === "CRC64NVME" ? 8 : 4;
}

export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  if (algorithm === "SHA1" || algorithm === "SHA256") return createHash(algorithm.toLowerCase());
  if (algorithm === "CRC32") return new NativeCrc32();
  return new RunningCrc(algorithm === "CRC32C" ? CRC32C : CRC64NVME);
}

class NativeCrc32 implements RunningChecksum {
  #value = 0;
  update(chunk: Uint8Array): void {
    this.#value = crc32(chunk, this.#value);
  }
  digest(): Buffer {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(this.#value);
    return out;
  }
}

export interface PartChecksum {
  readonly bytes: number;
  readonly value: string;
}

export function multipartChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): Checksum {
  const digests = parts.map((part) => ({ crc: Buffer.from(part.value, "base64"), bytes: part.bytes }));
  const kind = crcKind(algorithm);
  if (type === "FULL_OBJECT" && kind !== undefined) {
    return { algorithm, type, value: joinCrcs(kind, digests).toString("base64") };
  }
  const running = startChecksum(algorithm);
  for (const digest of digests) running.update(digest.crc);
  return { algorithm, type: "COMPOSITE", value: `${running.digest().toString("base64")}-${parts.length}` };
}
