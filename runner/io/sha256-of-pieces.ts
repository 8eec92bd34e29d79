import { createHash } from "node:crypto";

/** Of all pieces, one after the other, in hex. */
export function sha256OfPieces(pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
