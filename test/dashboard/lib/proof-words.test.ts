// What a proof has found is read as a promise: no word of it may say more than was tried.
import { expect, test } from "vitest";
import type { VerifyResult } from "#shared/contracts/restores.ts";
import { bootInWords, checkedInWords } from "../../../dashboard/lib/proof-words.ts";

const read: VerifyResult = {
  bytes_downloaded: 1_000,
  requests: 1,
  files: 1,
  files_bytes: 10,
  db_bytes: 10,
  tables: 2,
  deep: false,
  frames: 1,
  entries: 2_000,
  rows: null,
  restore_seconds: null,
  boot_status: null,
  boot_seconds: null,
  boot_skipped: null,
};

test("what was only read is not said to be imported, or to be restored in any time", () => {
  expect(checkedInWords(read)).toBe("1 frame and 2,000 entries checked.");
  expect(checkedInWords({ ...read, deep: true, rows: 1, restore_seconds: 185 })).toBe(
    "1 frame and 2,000 entries checked, 1 row in 2 tables imported. A whole restore took 3 min 5 s.",
  );
});

test("of WordPress nothing is said unless it was asked for, and why it was not started if it was not", () => {
  expect(bootInWords(read)).toBeUndefined();
  expect(bootInWords({ ...read, boot_skipped: "PHP is not installed" })).toBe(
    "WordPress was not started: PHP is not installed.",
  );
  expect(bootInWords({ ...read, boot_skipped: "It had no rights." })).toBe(
    "WordPress was not started: It had no rights.",
  );
});

test("an answer is its front page, or the way that it leads its visitors", () => {
  expect(bootInWords({ ...read, boot_status: 200, boot_seconds: 0.42 })).toBe(
    "The restored WordPress answered for its front page in 0.4 s.",
  );
  expect(bootInWords({ ...read, boot_status: 302, boot_seconds: null })).toBe(
    "The restored WordPress answered 302 for its front page: it leads elsewhere.",
  );
});
