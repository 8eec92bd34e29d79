// How much free space a restore into a live site needs, and where it is missing: better said before anything is
// downloaded. The backup is extracted beside the old files, which stay; so does the old database, as a compressed dump.

/** Stays free for everybody else on the node. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** What a file needs beside its content. */
const FILE_OVERHEAD_BYTES = 4096;

export interface RoomWanted {
  /** Of what is extracted. */
  readonly files: number;
  readonly filesBytes: number;
  readonly dbBytes: number;
  /** Of the tables that are dumped for safety. */
  readonly dataBytes: number;
}

/** A directory that is written to, and the file system that it is on. */
export interface Place {
  readonly directory: string;
  readonly device: number;
  readonly freeBytes: number;
}

export interface RoomMissing {
  readonly directory: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/** `own` gets the safety dump, `beside` what is extracted; if they are on one file system, that needs room for both. */
export function missingRoom(wanted: RoomWanted, own: Place, beside: Place): RoomMissing | undefined {
  const extraction = wanted.filesBytes + wanted.dbBytes + wanted.files * FILE_OVERHEAD_BYTES;
  // Half of the tables is on the safe side.
  const safetyDump = wanted.dataBytes / 2;
  const isOne = own.device === beside.device;
  const needs = isOne
    ? [{ place: beside, bytes: extraction + safetyDump }]
    : [
        { place: own, bytes: safetyDump },
        { place: beside, bytes: extraction },
      ];
  for (const { place, bytes } of needs) {
    const neededBytes = bytes + SPARE_BYTES;
    const { directory, freeBytes } = place;
    if (freeBytes < neededBytes) return { directory, neededBytes, freeBytes };
  }
  return undefined;
}
