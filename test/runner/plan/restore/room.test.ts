// What a restore needs where, and what is said when it is not there.
import { expect, test } from "vitest";
import { missingRoom, type Place } from "#runner/plan/restore/room.ts";

const MIB = 1024 * 1024;
const wanted = { files: 256, filesBytes: 100 * MIB, dbBytes: 20 * MIB, dataBytes: 60 * MIB };
/** With the 64 MiB that stay free, and 4 KiB for each file. */
const EXTRACTION = (100 + 20 + 1 + 64) * MIB;
const SAFETY = (60 / 2 + 64) * MIB;
const BOTH = (100 + 20 + 1 + 60 / 2 + 64) * MIB;

const place = (directory: string, device: number, freeBytes: number): Place => ({
  directory,
  device,
  freeBytes,
});

test("on two disks, the site's has room for the files and ours for the safety dump", () => {
  const missing = (ownBytes: number, besideBytes: number) =>
    missingRoom(wanted, place("/state", 1, ownBytes), place("/www", 2, besideBytes));
  expect(missing(SAFETY, EXTRACTION)).toBeUndefined();
  expect(missing(SAFETY - 1, EXTRACTION)).toEqual({
    directory: "/state",
    neededBytes: SAFETY,
    freeBytes: SAFETY - 1,
  });
  expect(missing(SAFETY, EXTRACTION - 1)).toMatchObject({ directory: "/www", neededBytes: EXTRACTION });
});

test("on one disk, it has room for both at the same time", () => {
  const missing = (freeBytes: number) =>
    missingRoom(wanted, place("/state", 1, freeBytes), place("/www", 1, freeBytes));
  expect(missing(BOTH)).toBeUndefined();
  expect(missing(BOTH - 1)).toMatchObject({ neededBytes: BOTH });
});
