// Every hour: deletes what the retention policies of a part of the sites no longer keep. A site's hour follows from its
// id, so that each comes once a day and a fleet of any size spreads; what a run has no time for waits for tomorrow.
import type { EventBridgeEvent } from "aws-lambda";
import { asBackupError, type BackupError } from "#shared/errors.ts";
import type { BackupRecord, SiteRecord } from "./core/records.ts";
import type { Judged } from "./core/retention.ts";
import { isDue, type RetentionRun, removalActivity, runRetention } from "./core/retention-run.ts";
import { type Deps, lazyDeps } from "./deps.ts";
import { removeBackup, removeObject } from "./http/delete-backup.ts";
import { loadSite } from "./http/load.ts";
import { planSiteRetention } from "./http/plan-retention.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";
import { openStorages } from "./stores/storages.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

type ChoreDeps = Deps<"records" | "storages">;

const AT_ONCE = 8;
const PAGE = 100;
const SPARE_MS = 30_000;
/** A deletion that is under way removes its object itself. */
const LEFT_MS = 600_000;

export interface ChoreResult {
  sites: number;
  removed: number;
  stopped: number;
  failed: number;
}

export const handler: Observed<Pick<EventBridgeEvent<string, unknown>, "time">, ChoreResult> = chore(
  "retention",
  lazyDeps({ records: openRecords, storages: openStorages }),
  async ({ time }, deps, context) =>
    runDue(new Date(time), () => context.getRemainingTimeInMillis() > SPARE_MS, deps),
);

async function runDue(at: Date, hasTime: () => boolean, deps: ChoreDeps): Promise<ChoreResult> {
  const result: ChoreResult = { sites: 0, removed: 0, stopped: 0, failed: 0 };
  await removeLeftObjects(deps);
  for await (const sites of duePages(at, deps)) {
    while (sites.length > 0 && hasTime()) {
      await Promise.all(sites.splice(0, AT_ONCE).map((site) => runSite(site, result, hasTime, deps)));
    }
    if (!hasTime()) break;
  }
  deps.log[hasTime() ? "info" : "warn"]("retention", { ...result, finished: hasTime() });
  return result;
}

async function* duePages(at: Date, deps: ChoreDeps): AsyncGenerator<SiteRecord[]> {
  let cursor: string | undefined;
  do {
    const page = await deps.records.sites.list({ limit: PAGE, cursor });
    yield page.items.filter((site) => site.retention !== undefined && isDue(site.id, at));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** One site's trouble is no other's. */
async function runSite(
  { id }: SiteRecord,
  result: ChoreResult,
  hasTime: () => boolean,
  deps: ChoreDeps,
): Promise<void> {
  result.sites += 1;
  try {
    const { site, run } = await settleRace(() => decide(id, deps));
    if (run.isStopped) result.stopped += 1;
    for (const judged of run.remove) {
      if (!hasTime()) return;
      result.removed += await removeOne(site, judged, deps);
    }
  } catch (error) {
    result.failed += 1;
    deps.log.error("retention of a site failed", { site_id: id, error: error as Error });
  }
}

async function decide(
  id: string,
  deps: ChoreDeps,
): Promise<{ site: SiteRecord; run: RetentionRun } | undefined> {
  const site = await loadSite(id, deps);
  if (site.retention === undefined) return { site, run: { step: undefined, remove: [], isStopped: false } };
  const { plan, alarms } = await planSiteRetention(site, site.retention, deps);
  const run = runRetention(site, plan, alarms, deps.now(), deps.randomUuid());
  if (run.step !== undefined && !(await deps.records.commit(run.step))) return undefined;
  return { site, run };
}

async function removeOne(site: SiteRecord, judged: Judged<BackupRecord>, deps: ChoreDeps): Promise<0 | 1> {
  const { backup, reasons } = judged;
  const activity = removalActivity(site, judged, deps.now(), deps.randomUuid());
  try {
    await removeBackup(backup.id, { by: "retention", why: reasons.join("; "), activity }, deps);
    return 1;
  } catch (thrown) {
    const error = asBackupError(thrown, "internal");
    if (!isTaken(error)) throw error;
    deps.log.info("retention leaves a backup", { backup_id: backup.id, code: error.code });
    return 0;
  }
}

/** Held, read or deleted by somebody since the plan was made. */
function isTaken({ code }: BackupError): boolean {
  return code === "backup_held" || code === "conflict" || code === "not_found";
}

/** Of deletions that a crash, or the storage, has cut short. */
async function removeLeftObjects(deps: ChoreDeps): Promise<void> {
  const before = new Date(deps.now().getTime() - LEFT_MS).toISOString();
  for (const deleted of await deps.records.deletedBackups.withObject(PAGE)) {
    if (deleted.deleted_at >= before) continue;
    try {
      await removeObject(deleted, deps);
    } catch (error) {
      deps.log.error("object of a deleted backup stays", { backup_id: deleted.id, error: error as Error });
    }
  }
}
