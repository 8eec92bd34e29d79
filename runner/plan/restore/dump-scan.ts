// Looks over a dump as it passes: whether it is whole, and how many tables it makes.
import { createHash } from "node:crypto";
import { DUMP_COMPLETED, DUMP_END_BYTES } from "../dump-options.ts";

export interface DumpFacts {
  readonly bytes: number;
  readonly sha256: string;
  /** It ends with the line that dump programs write last. */
  readonly isComplete: boolean;
  readonly tables: number;
}

export interface DumpScan {
  write(bytes: Uint8Array): void;
  end(): DumpFacts;
}

/** Data has its line feeds escaped, so only statements begin a line. */
const CREATE = Buffer.from("\nCREATE TABLE ");

export function createDumpScan(): DumpScan {
  const hash = createHash("sha256");
  let bytes = 0;
  let tables = 0;
  /** The last bytes so far: what is looked for may lie across two pieces. */
  let tail: Buffer = Buffer.from("\n");
  return {
    write(piece) {
      hash.update(piece);
      bytes += piece.length;
      const view = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      const seam = Buffer.concat([tail.subarray(1 - CREATE.length), view.subarray(0, CREATE.length - 1)]);
      tables += occurrences(seam) + occurrences(view);
      tail =
        view.length >= DUMP_END_BYTES
          ? Buffer.from(view.subarray(-DUMP_END_BYTES))
          : Buffer.concat([tail, view]).subarray(-DUMP_END_BYTES);
    },
    end: () => ({
      bytes,
      sha256: hash.digest("hex"),
      isComplete: DUMP_COMPLETED.test(tail.toString("latin1")),
      tables,
    }),
  };
}

function occurrences(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(CREATE); at !== -1; at = bytes.indexOf(CREATE, at + CREATE.length)) count += 1;
  return count;
}
