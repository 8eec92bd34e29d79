// The message that EventBridge Scheduler puts into a node's queue. Scheduler replaces the words in angle brackets
// at each delivery (Scheduler User Guide, "Adding context attributes"); the runner reads it as a JobMessage.
import type { ScheduledJobType } from "#shared/contracts/jobs.ts";

export function scheduleInput(siteId: string, type: ScheduledJobType): string {
  return JSON.stringify({
    v: 1,
    type,
    trigger: "schedule",
    site_id: siteId,
    scheduled_time: "<aws.scheduler.scheduled-time>",
    execution_id: "<aws.scheduler.execution-id>",
  });
}
