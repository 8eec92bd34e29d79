// When the retention stops: signs of an attack or a bug, each next to the everyday change that must not stop it.
import { describe, expect, test } from "vitest";
import { planRetention } from "#functions/core/retention.ts";
import { type AlarmInput, retentionAlarms, type WatchedBackup } from "#functions/core/retention-alarms.ts";
import { runRetention } from "#functions/core/retention-run.ts";
import { Retention } from "#shared/contracts/retention.ts";
import { aSite } from "./job-records.ts";
import { backupAt, DAMAGED } from "./retention-history.ts";

const NOW = new Date("2026-11-22T04:00:00.000Z");
const POLICY = Retention.parse({ keep_last: 3 });
const DAY = ["17", "18", "19", "20", "21", "22"].map((day) => `2026-11-${day}T03:00:00.000Z`);

interface Facts {
  readonly files?: number;
  readonly db?: number;
  readonly size?: number;
  readonly entries?: [unchanged: number, changed: number, deleted: number];
}

/** MB of files, database and archive; a site of 500 MB of files and 40 MB of database unless said otherwise. */
function backup(at: string, { files = 500, db = 40, size = 300, entries }: Facts = {}): WatchedBackup {
  const [unchanged, changed, deleted] = entries ?? [20_000, 50, 10];
  return backupAt(at, {
    size_bytes: size * 1e6,
    archive: {
      files_bytes: files * 1e6,
      db_bytes: db * 1e6,
      tar_bytes: (files + db) * 1e6,
      mode: "incremental",
      full_reason: null,
      entries_unchanged: unchanged,
      entries_changed: changed,
      entries_deleted: deleted,
    },
  });
}

/** A week of calm, then this. */
function codes(last: Facts, input: Partial<AlarmInput> = {}): string[] {
  const backups = [...DAY.slice(0, 5).map((at) => backup(at)), backup(DAY[5] ?? "", last)];
  return alarmsOf(backups, input).map(({ code }) => code);
}

function alarmsOf(backups: WatchedBackup[], input: Partial<AlarmInput> = {}) {
  const plan = planRetention(POLICY, backups, NOW);
  return retentionAlarms({ backups, lastJob: undefined, acceptedAt: undefined, plan, ...input });
}

describe("stops", () => {
  test.each<[string, Facts, string[]]>([
    ["files that shrink to a fifth", { files: 100, size: 60 }, ["size_jumped"]],
    ["files that grow fourfold", { files: 2000, size: 1200 }, ["size_jumped"]],
    ["a database that is emptied", { db: 1 }, ["size_jumped"]],
    ["data that does not compress any more", { size: 535 }, ["entropy_jumped"]],
    ["most files changed at once", { entries: [1000, 19_000, 0] }, ["much_changed"]],
    ["most files deleted at once", { entries: [1000, 0, 19_000] }, ["much_changed"]],
  ])("at %s", (_, facts, expected) => {
    expect(codes(facts)).toEqual(expected);
  });

  test("while backups fail or the newest is damaged", () => {
    const lastJob = { state: "failed", error: { code: "dump_failed", message: "no dump" } } as const;
    expect(codes({}, { lastJob })).toEqual(["backups_failing"]);
    const damaged = { ...backup(DAY[5] ?? ""), verification_failed: DAMAGED };
    expect(alarmsOf([backup(DAY[4] ?? ""), damaged]).map(({ code }) => code)).toEqual(["newest_damaged"]);
  });

  test("also when a calm backup came after the jump", () => {
    const jumped = [
      ...DAY.slice(0, 4).map((at) => backup(at)),
      backup(DAY[4] ?? "", { files: 100, size: 60 }),
    ];
    const [alarm] = alarmsOf([...jumped, backup(DAY[5] ?? "", { files: 100, size: 60 })]);
    expect(alarm).toMatchObject({ code: "size_jumped", backup_id: `id-${DAY[5]}` });
    const [other] = alarmsOf([...jumped, backup(DAY[5] ?? "")]);
    expect(other).toMatchObject({ code: "size_jumped", backup_id: `id-${DAY[4]}` });
  });
});

describe("goes on", () => {
  test.each<[string, Facts]>([
    ["a calm day", {}],
    ["a site that doubles", { files: 1000, size: 600 }],
    ["a big clean-up", { files: 300, size: 180 }],
    ["a plugin update", { entries: [18_000, 2000, 100] }],
  ])("after %s", (_, facts) => {
    expect(codes(facts)).toEqual([]);
  });

  test("for a tiny site, whatever it does", () => {
    const tiny = [backup(DAY[0] ?? "", { files: 1, db: 0.1 }), backup(DAY[1] ?? "", { files: 9, db: 0.9 })];
    expect(alarmsOf(tiny)).toEqual([]);
  });

  test("after skipped and cancelled jobs: a full quota is what the retention is for", () => {
    for (const state of ["skipped", "cancelled", "succeeded"] as const) {
      expect(codes({}, { lastJob: { state } })).toEqual([]);
    }
  });

  test("once an operator has looked at that backup", () => {
    expect(codes({ files: 100, size: 60 }, { acceptedAt: DAY[5] })).toEqual([]);
    expect(codes({ files: 100, size: 60 }, { acceptedAt: DAY[4] })).toEqual(["size_jumped"]);
  });
});

describe("a stop", () => {
  const backups = DAY.map((at) => backup(at));
  const plan = planRetention(POLICY, backups as never[], NOW);
  const attack = { code: "entropy_jumped", message: "m", backup_id: "b" } as const;
  const failing = { code: "backups_failing", message: "m", backup_id: null } as const;
  const run = (site = aSite(), alarms: readonly (typeof attack | typeof failing)[] = []) =>
    runRetention(site, plan, alarms, NOW, "activity");

  test("is written with its alert and deletes nothing", () => {
    const { step, remove, isStopped } = run(aSite(), [attack]);
    expect([remove, isStopped]).toEqual([[], true]);
    expect(step?.site?.after.retention_stop).toEqual({ at: NOW.toISOString(), alarms: [attack] });
    expect(step?.activity).toMatchObject({ action: "retention.stopped", details: { would_remove: 3 } });
  });

  test("is told once", () => {
    const stopped = aSite({ retention_stop: { at: "earlier", alarms: [attack] } });
    expect(run(stopped, [attack])).toEqual({ step: undefined, remove: [], isStopped: true });
  });

  test("of an attack stays when the signs are gone; one of failing backups ends with them", () => {
    const attacked = aSite({ retention_stop: { at: "earlier", alarms: [attack, failing] } });
    const after = run(attacked, []);
    expect(after.remove).toEqual([]);
    expect(after.step?.site?.after.retention_stop).toEqual({ at: "earlier", alarms: [attack] });
    expect(after.step?.activity).toBeUndefined();
    const failed = aSite({ retention_stop: { at: "earlier", alarms: [failing] } });
    const going = run(failed, []);
    expect(going.step?.site?.after.retention_stop).toBeUndefined();
    expect(going.remove).toHaveLength(3);
  });
});
