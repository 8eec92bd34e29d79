// Attacks and everyday work as they show in backups' summaries, and what the retention says to each: golden, so that people
// can read what stops it, and see in a diff what a change of a threshold does.
import { join } from "node:path";
import { expect, test } from "vitest";
import { planRetention } from "#functions/core/retention.ts";
import { retentionAlarms, type WatchedBackup } from "#functions/core/retention-alarms.ts";
import { Retention } from "#shared/contracts/retention.ts";
import { backupAt } from "./retention-history.ts";

const NOW = new Date("2026-11-22T04:00:00.000Z");
const GOLDEN = join(import.meta.dirname, "../../golden/retention/alarms.txt");
const CALM_DAYS = 30;

interface Day {
  /** MB, raw and as stored. */
  readonly files: number;
  readonly stored: number;
  readonly db: number;
  readonly dbStored: number;
  readonly unchanged: number;
  readonly changed: number;
  readonly added: number;
  readonly deleted: number;
  /** Undefined as in records of older runners. */
  readonly garbled: number | undefined;
}

const SHOP: Day = {
  files: 500,
  stored: 300,
  db: 40,
  dbStored: 8,
  unchanged: 20_000,
  changed: 50,
  added: 20,
  deleted: 10,
  garbled: 0,
};
/** Pictures and films do not compress. */
const MEDIA: Day = { ...SHOP, files: 5000, stored: 4540, unchanged: 8000, changed: 5 };
/** Nothing was compared: the first, each thirtieth, or when nothing is left to copy. */
const WHOLE = { unchanged: 0, changed: 0, deleted: 0 };

function backups(days: readonly Day[]): WatchedBackup[] {
  const last = Date.parse("2026-11-22T03:00:00.000Z");
  return days.map((day, at) => {
    const { files, stored, db, dbStored, unchanged, changed, added, deleted, garbled } = day;
    const created = new Date(last - (days.length - 1 - at) * 86_400_000).toISOString();
    return backupAt(created, {
      size_bytes: (stored + dbStored) * 1e6,
      archive: {
        mode: unchanged === 0 ? "full" : "incremental",
        files_bytes: files * 1e6,
        db_bytes: db * 1e6,
        db_stored_bytes: dbStored * 1e6,
        tar_bytes: (files + db) * 1e6,
        entries_unchanged: unchanged,
        entries_changed: changed,
        entries_added: added,
        entries_deleted: deleted,
        ...(garbled === undefined ? {} : { files_garbled: garbled }),
      },
    });
  });
}

const repeat = (count: number, day: Day): Day[] => Array.from({ length: count }, () => day);
const after = (usual: Day, ...days: Partial<Day>[]): Day[] => [
  ...repeat(CALM_DAYS, usual),
  ...days.map((day) => ({ ...usual, ...day })),
];

const ATTACKS: Record<string, Day[]> = {
  "ransomware at once, in place: nothing is left to copy": after(SHOP, {
    ...{ unchanged: 0, changed: 19_900, garbled: 19_000, stored: 500 },
  }),
  "ransomware at once, with new names": after(SHOP, {
    ...{ unchanged: 200, deleted: 19_800, added: 19_800, garbled: 19_000, stored: 500 },
  }),
  "ransomware at once, in a backup that compared nothing": after(SHOP, {
    ...WHOLE,
    added: 20_000,
    garbled: 19_000,
  }),
  "slow ransomware, forty files a night": after(SHOP, ...repeat(5, { ...SHOP, changed: 90, garbled: 40 })),
  "slow ransomware, a third of the files a night, as an older runner tells it": after(
    { ...SHOP, garbled: undefined },
    ...repeat(2, { ...SHOP, changed: 6500, unchanged: 13_500, garbled: undefined }),
  ),
  "a media site encrypted at once, as an older runner tells it": after(
    { ...MEDIA, garbled: undefined },
    { stored: 4990, changed: 3000, unchanged: 5000 },
  ),
  "a media site encrypted slowly": after(MEDIA, ...repeat(4, { ...MEDIA, changed: 15, garbled: 10 })),
  "a database that is encrypted": after(SHOP, { dbStored: 30 }),
  "a database that is emptied": after(SHOP, { db: 1, dbStored: 0.2 }),
  "files that are emptied": after(SHOP, { files: 20, stored: 10, deleted: 400 }),
};

const EVERYDAY: Record<string, Day[]> = {
  "calm days": after(SHOP),
  "a plugin's update": after(SHOP, { changed: 2000, added: 300, deleted: 100 }),
  "updates of everything, day after day": after(
    SHOP,
    ...repeat(4, { ...SHOP, changed: 1500, added: 200, deleted: 150 }),
  ),
  "a new theme": after(SHOP, { changed: 300, added: 1500, deleted: 1200 }),
  "a big import of pictures": after(SHOP, { files: 1300, stored: 1080, added: 9000 }),
  "a big import into the database": after(SHOP, { db: 100, dbStored: 22 }),
  "a media site that grows by half": after(MEDIA, { files: 7500, stored: 7100, added: 2000 }),
  "each thirtieth backup, with some files that always looked so": [
    { ...SHOP, ...WHOLE, added: 20_000, garbled: 40 },
    ...after(SHOP, { ...WHOLE, added: 20_000, garbled: 41 }),
  ],
  "a plugin that encrypts its own backups every night": after({ ...SHOP, garbled: 6 }, { garbled: 8 }),
  "a site that changes a third of its files every night": after({
    ...SHOP,
    unchanged: 14_000,
    changed: 6000,
  }),
  "a first backup, and few since": [
    { ...SHOP, ...WHOLE, added: 20_000, garbled: 60 },
    ...repeat(3, { ...SHOP, changed: 900 }),
  ],
};

function said(days: readonly Day[]): string[] {
  const history = backups(days);
  const plan = planRetention(Retention.parse({ keep_last: 3 }), history, NOW);
  const alarms = retentionAlarms({ backups: history, lastJob: undefined, acceptedAt: undefined, plan });
  return alarms.map(({ code, message }) => `  ${code}: ${message}`);
}

test("what stops the retention, and what does not", async () => {
  const lines = Object.entries({ ...ATTACKS, ...EVERYDAY }).flatMap(([name, days]) => {
    const alarms = said(days);
    return [name, ...(alarms.length === 0 ? ["  goes on"] : alarms)];
  });
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(GOLDEN);
});

test.each(Object.entries(ATTACKS))("stops at %s", (_name, days) => {
  expect(said(days)).not.toEqual([]);
});

test.each(Object.entries(EVERYDAY))("goes on after %s", (_name, days) => {
  expect(said(days)).toEqual([]);
});
