// The message that EventBridge Scheduler puts into a node's queue. Scheduler replaces the words in angle brackets
// at each delivery (Scheduler User Guide, "Adding context attributes"); the runner reads it as a JobMessage.

export function scheduleInput(siteId: string): string {
  return JSON.stringify({
    v: 1,
    type: "backup",
    trigger: "schedule",
    site_id: siteId,
    scheduled_time: "<aws.scheduler.scheduled-time>",
    execution_id: "<aws.scheduler.execution-id>",
  });
}
