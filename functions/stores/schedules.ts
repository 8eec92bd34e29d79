// A site's EventBridge Scheduler schedules, one of its backups and one of its proofs; their target is the queue of the
// site's node.
import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { ScheduledJobType } from "#shared/contracts/jobs.ts";
import type { Schedule } from "#shared/contracts/sites.ts";
import { scheduleInput } from "../core/schedule-input.ts";
import { awsClient } from "./aws-client.ts";

export interface Schedules {
  /** Makes or changes the site's schedule of those jobs; the same call twice is fine. */
  put(siteId: string, type: ScheduledJobType, schedule: Schedule, queueArn: string): Promise<void>;
  /** Removes them all; one that is gone already is fine. */
  remove(siteId: string): Promise<void>;
}

export interface ScheduleSettings {
  readonly scheduleGroup: string;
  readonly schedulerRoleArn: string;
  readonly deadLetterQueueArn: string;
}

const PREFIXES = { backup: "site", verify: "proof" } as const;

export function openSchedules(settings: ScheduleSettings): Schedules {
  const { scheduleGroup: group, schedulerRoleArn: roleArn, deadLetterQueueArn } = settings;
  const client = awsClient(new SchedulerClient({}));
  const name = (siteId: string, type: ScheduledJobType): string => `${PREFIXES[type]}-${siteId}`;
  return {
    async put(siteId, type, schedule, queueArn) {
      const input: CreateScheduleCommandInput = {
        Name: name(siteId, type),
        GroupName: group,
        ScheduleExpression: schedule.expression,
        ScheduleExpressionTimezone: schedule.time_zone,
        State: schedule.enabled ? "ENABLED" : "DISABLED",
        FlexibleTimeWindow:
          schedule.flexible_minutes === 0
            ? { Mode: "OFF" }
            : { Mode: "FLEXIBLE", MaximumWindowInMinutes: schedule.flexible_minutes },
        Target: {
          Arn: queueArn,
          RoleArn: roleArn,
          Input: scheduleInput(siteId, type),
          DeadLetterConfig: { Arn: deadLetterQueueArn },
          RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 60 },
        },
      };
      try {
        await client.send(new UpdateScheduleCommand(input));
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
        await create(client, input);
      }
    },
    async remove(siteId) {
      for (const type of ScheduledJobType.options) {
        try {
          await client.send(new DeleteScheduleCommand({ Name: name(siteId, type), GroupName: group }));
        } catch (error) {
          if (!(error instanceof ResourceNotFoundException)) throw error;
        }
      }
    },
  };
}

/** Two calls may both have found nothing to update: the later one then updates after all. */
async function create(client: SchedulerClient, input: CreateScheduleCommandInput): Promise<void> {
  try {
    await client.send(new CreateScheduleCommand(input));
  } catch (error) {
    if (!(error instanceof ConflictException)) throw error;
    await client.send(new UpdateScheduleCommand(input));
  }
}
