// A site's schedules: checked as EventBridge Scheduler would check them, and put where the site's state says they belong.
import type { Schedule } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { parseExpression, parseTimeZone } from "#shared/schedule-expression.ts";
import { queueArn } from "../core/queue-names.ts";
import type { SiteRecord } from "../core/records.ts";
import type { Deps } from "../deps.ts";

/** A paused site keeps its schedules, switched off, so that nothing piles up in its node's queue. */
export async function putSchedules(site: SiteRecord, deps: Deps<"schedules">): Promise<void> {
  const arn = queueArn(deps.config, site.node_id);
  const put = async (type: "backup" | "verify", schedule: Schedule | undefined): Promise<void> => {
    if (schedule === undefined) return;
    const enabled = schedule.enabled && site.state === "active";
    await deps.schedules.put(site.id, type, { ...schedule, enabled }, arn);
  };
  await put("backup", site.schedule);
  await put("verify", site.proof);
}

/** Refuses what EventBridge Scheduler would refuse, with the field's path. */
export function checkSchedule(schedule: Schedule, at: string): void {
  const issues = [
    ...faultOf(`${at}expression`, () => parseExpression(schedule.expression)),
    ...faultOf(`${at}time_zone`, () => parseTimeZone(schedule.time_zone)),
  ];
  const [first] = issues;
  if (first === undefined) return;
  throw new BackupError("invalid_request", { detail: first.message, hint: first.hint, data: { issues } });
}

function faultOf(path: string, parse: () => unknown): { path: string; message: string; hint: string }[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return [{ path, message: error.message, hint: error.hint }];
  }
}
