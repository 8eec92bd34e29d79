// The CRCs that node:zlib lacks against their published check values, and their joining against computing whole.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { multipartChecksum, startChecksum } from "#local/s3/checksums.ts";

function checksum(algorithm: "CRC32" | "CRC32C" | "CRC64NVME", pieces: readonly Uint8Array[]): string {
  const running = startChecksum(algorithm);
  for (const piece of pieces) running.update(piece);
  return running.digest().toString("base64");
}

describe("checksums", () => {
  it.each([
    ["CRC32", "cbf43926"],
    ["CRC32C", "e3069283"],
    ["CRC64NVME", "ae8b14860a799888"],
  ] as const)("%s of 123456789 is %s", (algorithm, hex) => {
    const value = checksum(algorithm, [Buffer.from("123456789")]);
    expect(Buffer.from(value, "base64").toString("hex")).toBe(hex);
  });

  it.each(["CRC32", "CRC32C", "CRC64NVME"] as const)(
    "%s of parts joins to that of the whole",
    (algorithm) => {
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1 }), (pieces) => {
          const parts = pieces.map((piece) => ({ bytes: piece.length, value: checksum(algorithm, [piece]) }));
          const whole = checksum(algorithm, [Buffer.concat(pieces)]);
          expect(checksum(algorithm, pieces)).toBe(whole);
          expect(multipartChecksum(algorithm, "FULL_OBJECT", parts).value).toBe(whole);
        }),
      );
    },
  );
});
