// What the handlers work with: the clock, randomness, the log and the stores, made once per process and on first
// use, so that a fault in the environment is reported by a request and a cold start stays short.
import { randomBytes, randomUUID } from "node:crypto";
import { Logger } from "@aws-lambda-powertools/logger";
import { type Config, parseConfig } from "./config.ts";
import { type NodeCredentialsIssuer, openNodeCredentials } from "./stores/node-credentials.ts";
import { type Objects, openObjects } from "./stores/objects.ts";
import { openQueues, type Queues } from "./stores/queues.ts";
import { openRecords, type Records } from "./stores/records.ts";
import { openSchedules, type Schedules } from "./stores/schedules.ts";

export interface Deps {
  readonly config: Config;
  readonly now: () => Date;
  readonly randomUuid: () => string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
  readonly records: Records;
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly objects: Objects;
  readonly nodeCredentials: NodeCredentialsIssuer;
}

export type Log = Pick<Logger, "info" | "warn" | "error">;

export function openDeps(config: Config): Deps {
  const bucketArn = `arn:aws:s3:::${config.bucketName}`;
  const queues = openQueues(config);
  return {
    config,
    now: () => new Date(),
    randomUuid: randomUUID,
    randomBytes,
    log: new Logger({ serviceName: "backupd-master", logLevel: config.logLevel }),
    records: openRecords(config.tableName),
    queues,
    schedules: openSchedules({
      group: config.scheduleGroup,
      roleArn: config.schedulerRoleArn,
      deadLetterQueueArn: config.deadLetterQueueArn,
    }),
    objects: openObjects(config.bucketName),
    nodeCredentials: openNodeCredentials({
      roleArn: config.nodeRoleArn,
      bucketArn,
      queueArn: queues.arn,
    }),
  };
}

let current: Deps | undefined;

/** The process' deps, from its environment. Throws when that is not valid. */
export function liveDeps(): Deps {
  current ??= openDeps(parseConfig(process.env));
  return current;
}

/** For the local stack and tests, which run the handlers in their own process: what `liveDeps` gives from now on. */
export function provideDeps(deps: Deps | undefined): void {
  current = deps;
}
