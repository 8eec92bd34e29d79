// The ledger of an open upload: what was written is read again, and of a file that was cut or damaged anywhere only the
// lines before that.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blockRecord,
  encodeRecord,
  type LedgerPart,
  type LedgerRecord,
  partRecord,
  readLedger,
} from "#runner/io/upload-ledger.ts";
import { SuccessReport } from "#shared/contracts/backups.ts";
import { openedUpload } from "#test/helpers/ledgers.ts";
import { successReport } from "#test/helpers/reports.ts";

const sha256 = "a".repeat(64);
const ID = "00000000-0000-4000-8000-000000000000";
const partOf = (number: number): LedgerPart => ({
  number,
  etag: `"${number}"`,
  crc32: "AAAAAA==",
  tarOffset: number * 1024,
  frames: [{ compressedBytes: 10, tarBytes: 1024, sha256 }],
});
const opened = openedUpload();
const report = SuccessReport.parse(
  successReport({ job: { id: ID, site_id: ID }, fencing: 1, s3_path: "/x" }, 1),
);
const records: LedgerRecord[] = [
  opened,
  blockRecord({ lines: Buffer.from("lines\n"), tarEnd: 2048 }),
  partRecord(partOf(1)),
  partRecord(partOf(2)),
  blockRecord({ lines: Buffer.from("more\n"), tarEnd: 4096 }),
  partRecord(partOf(3)),
  { is: "completing", report },
];
const file = Buffer.from(records.map(encodeRecord).join(""));

describe("a ledger", () => {
  it("is read as it was written", () => {
    expect(readLedger(file)).toEqual({
      opened,
      parts: [partOf(1), partOf(2), partOf(3)],
      blocks: [
        { lines: Buffer.from("lines\n"), tarEnd: 2048 },
        { lines: Buffer.from("more\n"), tarEnd: 4096 },
      ],
      reports: [report],
      isAbandoned: false,
    });
  });

  it("that was cut at any byte holds what comes before, and is none without its first line", () => {
    const firstLine = encodeRecord(opened).length;
    for (let length = 0; length < file.length; length += 1) {
      const ledger = readLedger(file.subarray(0, length));
      const whole = file.subarray(0, length).toString().split("\n").length - 1;
      expect(ledger === undefined).toBe(length < firstLine);
      const inLedger = ledger === undefined ? 0 : 1 + ledger.parts.length + ledger.blocks.length;
      expect(inLedger + (ledger?.reports.length ?? 0)).toBe(whole);
    }
  });

  it("that was damaged anywhere holds nothing of that line or behind it", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(file);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        const before = readLedger(file.subarray(0, file.lastIndexOf(0x0a, at - 1) + 1));
        expect(readLedger(damaged)).toEqual(at < encodeRecord(opened).length ? undefined : before);
      }),
    );
  });

  it("of another version is none", () => {
    const next = encodeRecord({ ...opened, version: 2 } as unknown as LedgerRecord);
    expect(readLedger(Buffer.from(next))).toBeUndefined();
  });
});
