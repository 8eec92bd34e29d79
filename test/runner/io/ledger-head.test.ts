// What is read of a ledger at each claim says the same as the whole, whatever attempt wrote it, and costs nothing that
// grows with the site.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLedgerHead } from "#runner/io/ledger-head.ts";
import {
  blockRecord,
  encodeRecord,
  firstRecords,
  type LedgerRecord,
  partRecord,
  readLedger,
} from "#runner/io/upload-ledger.ts";
import { SuccessReport } from "#shared/contracts/backups.ts";
import { openedUpload } from "#test/helpers/ledgers.ts";
import { successReport } from "#test/helpers/reports.ts";

const ID = "00000000-0000-4000-8000-000000000000";
const opened = openedUpload();
const part = {
  number: 1,
  etag: '"1"',
  crc32: "AAAAAA==",
  tarOffset: 0,
  frames: [{ compressedBytes: 10, tarBytes: 1024, sha256: "a".repeat(64) }],
};
const block = { lines: Buffer.alloc(50_000, 7), tarEnd: 2048 };
const completing = (fencing: number, message = ""): LedgerRecord => {
  const told = { job: { id: ID, site_id: ID }, fencing, s3_path: "/x" };
  const report = SuccessReport.parse(successReport(told, 1));
  const warnings = message === "" ? [] : Array.from({ length: 100 }, () => ({ code: "odd", message }));
  return { is: "completing", report: { ...report, warnings } };
};
const kept = { parts: [part], bytes: 10, tarBytes: 1024, frames: [], blocks: [block] };
const NOTHING_KEPT = { parts: [], bytes: 0, tarBytes: 0, frames: [], blocks: [] };
const reportOf = (record: LedgerRecord): SuccessReport[] =>
  record.is === "completing" ? [record.report] : [];

let file: string;
beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), "backupd-ledger-")), "job.ledger");
});
afterAll(() => rm(join(file, ".."), { recursive: true, force: true }));

async function headOf(text: string): ReturnType<typeof readLedgerHead> {
  await writeFile(file, text);
  return await readLedgerHead(file);
}

const encoded = (records: readonly LedgerRecord[]): string => records.map(encodeRecord).join("");

const fresh: LedgerRecord[] = [opened, ...Array.from({ length: 5 }, () => blockRecord(block))];
const HISTORIES: Record<string, LedgerRecord[]> = {
  "has only begun": [opened],
  "has sent nothing yet": fresh,
  "has sent parts": [...fresh, partRecord(part), blockRecord(block), partRecord({ ...part, number: 2 })],
  "was about to complete": [...fresh, partRecord(part), blockRecord(block), completing(1)],
  "was about to complete with many warnings": [...fresh, partRecord(part), completing(1, "x".repeat(2000))],
  "was about to complete without a part": [...fresh, completing(1)],
  "goes on with one that was about to complete": [
    ...firstRecords(opened, kept, { parts: [part], reports: reportOf(completing(1)) }),
    blockRecord(block),
  ],
  "did that and was about to complete, too": [
    ...firstRecords(opened, kept, { parts: [part], reports: reportOf(completing(1)) }),
    blockRecord(block),
    completing(2),
  ],
  "goes on with nothing": firstRecords(opened, NOTHING_KEPT, { parts: [], reports: [] }),
  "is to be ended": [opened, { is: "abandoned" }],
};

describe("the head of the ledger of an attempt that", () => {
  it.each(Object.entries(HISTORIES))("%s says what the whole says", async (_, records) => {
    const whole = readLedger(Buffer.from(encoded(records)));
    expect(await headOf(encoded(records))).toEqual({
      opened: whole?.opened,
      hasParts: whole?.parts.length !== 0,
      reports: whole?.reports,
      isAbandoned: whole?.isAbandoned,
    });
  });

  it("was cut short in a line says what is whole", async () => {
    const text = encoded([...fresh, partRecord(part), completing(1)]);
    expect(await headOf(text.slice(0, -1))).toMatchObject({ hasParts: true, reports: [] });
    expect(await headOf(encodeRecord(opened).slice(0, -1))).toBeUndefined();
    expect(await headOf("")).toBeUndefined();
  });
});

it("does not look at what lies between the first part and the last line", async () => {
  const junk = "neither a record nor a checksum\n".repeat(100_000);
  const text = `${encoded([...fresh, partRecord(part)])}${junk}${encodeRecord(completing(1))}`;
  expect(await headOf(text)).toMatchObject({ hasParts: true, reports: reportOf(completing(1)) });
});
