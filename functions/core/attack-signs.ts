// How a site looks in its backups' summaries while it is destroyed, encrypted or emptied, at once or a little each day.
// Everyday work must not look like it: a plugin's update, a new theme, an import. Pure.
import type { RetentionAlarm } from "#shared/contracts/retention.ts";
import { formatBytes } from "#shared/units.ts";
import type { BackupRecord } from "./records.ts";

export type SignedBackup = Pick<BackupRecord, "id" | "created_at" | "size_bytes" | "archive">;

/** With how many before it each backup is compared. */
const COMPARED_WITH = 5;
/** Below these a small site's everyday changes are no sign of anything. */
const NOTABLE_BYTES = 20_000_000;
const NOTABLE_DB_BYTES = 1_000_000;
const NOTABLE_ENTRIES = 500;
const NOTABLE_GARBLED = 25;
const SHRUNK = 0.5;
const GROWN = 3;
/** Of the ratio of stored to raw bytes, which encryption drives towards 1. */
const RATIO_RISE = 0.25;
/** Of what could still be compressed: so little of it is left when media sites, stored at 0.9, are encrypted. */
const COMPRESSIBLE_LEFT = 0.3;
/** While it grows by more than this, it is what came that compresses otherwise. */
const SAME_SIZE = 1.3;
const CHANGED_SHARE = 0.5;
const GARBLED_SHARE = 0.05;
const GARBLED_SHARE_OF_ALL = 0.25;
/** So many times what the site usually has changed is nothing unusual. */
const USUAL_TIMES = 3;

type Raise = (code: RetentionAlarm["code"], message: string) => void;

/** Of one backup against those before it, newest first. */
export function suddenSigns(backup: SignedBackup, older: readonly SignedBackup[]): RetentionAlarm[] {
  const before = older.slice(0, COMPARED_WITH);
  if (before.length === 0) return [];
  const alarms: RetentionAlarm[] = [];
  const raise: Raise = (code, message) => {
    alarms.push({ code, message: `${message} (backup of ${backup.created_at})`, backup_id: backup.id });
  };
  sizeSigns(backup, before, raise);
  ratioSigns(backup, before, raise);
  const { known, touched } = changesOf(backup);
  if (touched >= NOTABLE_ENTRIES && touched > known * CHANGED_SHARE) {
    raise("much_changed", `${touched} of ${known} files were changed or deleted at once`);
  }
  return alarms;
}

/** Of the newest ones together, which each may look harmless; against what the site was like before them. */
export function gradualSigns(
  newest: readonly SignedBackup[],
  older: readonly SignedBackup[],
): RetentionAlarm[] {
  const alarms: RetentionAlarm[] = [];
  // A young site has no past to be held against but the same days.
  const past = older.length < COMPARED_WITH ? [...newest, ...older] : older;
  const usual = USUAL_TIMES * median(past.map((backup) => changesOf(backup).touched));
  const more = newest.map((backup) => Math.max(0, changesOf(backup).touched - usual));
  const known = Math.max(0, ...newest.map((backup) => changesOf(backup).known));
  const spread = more.filter((count) => count > 0).length;
  const changed = sum(more);
  if (spread > 1 && changed >= NOTABLE_ENTRIES && changed > known * CHANGED_SHARE) {
    const message = `${changed} of ${known} files were changed or deleted within ${newest.length} backups`;
    alarms.push({
      code: "much_changed",
      message: `${message}, more than usual`,
      backup_id: worst(newest, more),
    });
  }
  const garbled = newest.map((backup, at) => moreGarbled(backup, [...newest.slice(at + 1), ...older]));
  const read = sum(newest.map(({ archive }) => archive.entries_changed + archive.entries_added));
  const total = sum(garbled);
  if (total >= NOTABLE_GARBLED && total > read * GARBLED_SHARE) {
    const message = `${total} files have come to look encrypted within ${newest.length} backups`;
    alarms.push({ code: "looks_encrypted", message, backup_id: worst(newest, garbled) });
  }
  return alarms;
}

function sizeSigns(backup: SignedBackup, before: readonly SignedBackup[], raise: Raise): void {
  const sizes = [
    { what: "The files", of: ({ archive }: SignedBackup) => archive.files_bytes, notable: NOTABLE_BYTES },
    { what: "The database", of: ({ archive }: SignedBackup) => archive.db_bytes, notable: NOTABLE_DB_BYTES },
  ];
  for (const { what, of, notable } of sizes) {
    const [was, is] = [median(before.map(of)), of(backup)];
    if (Math.abs(is - was) < notable || (is >= was * SHRUNK && is <= was * GROWN)) continue;
    raise("size_jumped", `${what} went from ${formatBytes(was)} to ${formatBytes(is)}`);
  }
}

interface Stored {
  readonly bytes: number;
  readonly ratio: number;
}

function ratioSigns(backup: SignedBackup, before: readonly SignedBackup[], raise: Raise): void {
  const looked = [
    { what: "The data", of: archiveStored, notable: NOTABLE_BYTES },
    { what: "The database", of: dumpStored, notable: NOTABLE_DB_BYTES },
  ];
  for (const { what, of, notable } of looked) {
    const is = of(backup);
    const known = before.map(of).filter((stored) => stored !== undefined);
    if (is === undefined || known.length === 0 || is.bytes < notable) continue;
    const was = {
      bytes: median(known.map(({ bytes }) => bytes)),
      ratio: median(known.map(({ ratio }) => ratio)),
    };
    const isNearlyAll =
      is.bytes < was.bytes * SAME_SIZE && 1 - is.ratio < (1 - was.ratio) * COMPRESSIBLE_LEFT;
    // Of a site that never compressed, noise would decide.
    const wasSome = (1 - was.ratio) * was.bytes >= notable / 10;
    if (is.ratio - was.ratio <= RATIO_RISE && !(isNearlyAll && wasSome)) continue;
    const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;
    const change = `from ${percent(was.ratio)} to ${percent(is.ratio)}`;
    raise("entropy_jumped", `${what} compresses much worse, as encrypted data does: ${change}`);
  }
}

function archiveStored({ archive, size_bytes: sizeBytes }: SignedBackup): Stored {
  return { bytes: archive.tar_bytes, ratio: archive.tar_bytes === 0 ? 0 : sizeBytes / archive.tar_bytes };
}

/** Undefined in older records. */
function dumpStored({ archive }: SignedBackup): Stored | undefined {
  const { db_bytes: bytes, db_stored_bytes: stored } = archive;
  return stored === undefined || bytes === 0 ? undefined : { bytes, ratio: stored / bytes };
}

/** Against the backup before; nothing where nothing was compared. */
function changesOf({ archive }: SignedBackup): { readonly known: number; readonly touched: number } {
  const touched = archive.entries_changed + archive.entries_deleted;
  return { known: archive.entries_unchanged + touched, touched };
}

/** Files that look encrypted and did not before. A backup that read everything is held against the last such. */
function moreGarbled(backup: SignedBackup, older: readonly SignedBackup[]): number {
  const is = backup.archive.files_garbled ?? 0;
  if (changesOf(backup).known > 0) {
    const usual = older
      .filter((each) => changesOf(each).known > 0)
      .map(({ archive }) => archive.files_garbled ?? 0);
    return Math.max(0, is - USUAL_TIMES * median(usual));
  }
  const lastWhole = older.findIndex(
    (each) => changesOf(each).known === 0 && each.archive.files_garbled !== undefined,
  );
  // Nothing says how many there were before: no site has so many.
  if (lastWhole === -1) {
    return older.length > 0 && is > backup.archive.entries_added * GARBLED_SHARE_OF_ALL ? is : 0;
  }
  return Math.max(
    0,
    is - sum(older.slice(0, lastWhole + 1).map(({ archive }) => archive.files_garbled ?? 0)),
  );
}

/** Whose part in it is the largest, so that the same alarm keeps its name from day to day. */
function worst(backups: readonly SignedBackup[], parts: readonly number[]): string | null {
  return backups[parts.indexOf(Math.max(...parts))]?.id ?? null;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
