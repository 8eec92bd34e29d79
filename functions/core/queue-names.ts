// Names of the nodes' queues, which follow from the stage and the node: nothing has to be looked up to address one.

export interface QueueSettings {
  readonly stage: string;
  /** Its region and account are those of all queues. */
  readonly deadLetterQueueArn: string;
}

export function queueName({ stage }: QueueSettings, nodeId: string): string {
  return `backupd-${stage}-node-${nodeId}`;
}

export function queueArn(settings: QueueSettings, nodeId: string): string {
  return [...settings.deadLetterQueueArn.split(":").slice(0, 5), queueName(settings, nodeId)].join(":");
}
