// A site's EventBridge Scheduler schedules, one of its backups and one of its proofs; their target is the queue of the
// site's node.
import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  type ListSchedulesCommandOutput,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { ScheduledJobType } from "#shared/contracts/jobs.ts";
import type { Schedule } from "#shared/contracts/sites.ts";
import { type ListedSchedule, scheduleName } from "../core/drift.ts";
import { scheduleInput } from "../core/schedule-input.ts";
import { awsClient } from "./aws-client.ts";

export interface Schedules {
  /** Makes or changes the site's schedule of those jobs; the same call twice is fine. */
  put(siteId: string, type: ScheduledJobType, schedule: Schedule, queueArn: string): Promise<void>;
  /** Whether it is there, and exactly as `put` would make it. */
  isAsWanted(siteId: string, type: ScheduledJobType, schedule: Schedule, queueArn: string): Promise<boolean>;
  /** Removes them all; one that is gone already is fine. */
  remove(siteId: string): Promise<void>;
  removeOne(siteId: string, type: ScheduledJobType): Promise<void>;
  /** All schedules of the group, whoever made them. */
  list(): AsyncIterable<ListedSchedule>;
}

export interface ScheduleSettings {
  readonly scheduleGroup: string;
  readonly schedulerRoleArn: string;
  readonly deadLetterQueueArn: string;
}

export function openSchedules(settings: ScheduleSettings): Schedules {
  const client = awsClient(new SchedulerClient({}));
  const { scheduleGroup: group } = settings;
  const removeOne: Schedules["removeOne"] = async (siteId, type) => {
    try {
      await client.send(new DeleteScheduleCommand({ Name: scheduleName(siteId, type), GroupName: group }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
  };
  return {
    removeOne,
    async put(siteId, type, schedule, queueArn) {
      const input = definitionOf({ siteId, type, schedule, queueArn }, settings);
      try {
        await client.send(new UpdateScheduleCommand(input));
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
        await create(client, input);
      }
    },
    async isAsWanted(siteId, type, schedule, queueArn) {
      const wanted = definitionOf({ siteId, type, schedule, queueArn }, settings);
      try {
        const found = await client.send(new GetScheduleCommand({ Name: wanted.Name, GroupName: group }));
        return isSubset(wanted, found);
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return false;
        throw error;
      }
    },
    async remove(siteId) {
      for (const type of ScheduledJobType.options) await removeOne(siteId, type);
    },
    async *list() {
      let token: string | undefined;
      do {
        const next = token === undefined ? {} : { NextToken: token };
        const page: ListSchedulesCommandOutput = await client.send(
          new ListSchedulesCommand({ GroupName: group, ...next }),
        );
        for (const { Name: name = "", State, Target } of page.Schedules ?? []) {
          yield { name, isEnabled: State === "ENABLED", targetArn: Target?.Arn ?? "" };
        }
        token = page.NextToken;
      } while (token !== undefined);
    },
  };
}

interface Wanted {
  readonly siteId: string;
  readonly type: ScheduledJobType;
  readonly schedule: Schedule;
  readonly queueArn: string;
}

function definitionOf(
  { siteId, type, schedule, queueArn }: Wanted,
  { scheduleGroup, schedulerRoleArn, deadLetterQueueArn }: ScheduleSettings,
): CreateScheduleCommandInput {
  return {
    Name: scheduleName(siteId, type),
    GroupName: scheduleGroup,
    ScheduleExpression: schedule.expression,
    ScheduleExpressionTimezone: schedule.time_zone,
    State: schedule.enabled ? "ENABLED" : "DISABLED",
    FlexibleTimeWindow:
      schedule.flexible_minutes === 0
        ? { Mode: "OFF" }
        : { Mode: "FLEXIBLE", MaximumWindowInMinutes: schedule.flexible_minutes },
    Target: {
      Arn: queueArn,
      RoleArn: schedulerRoleArn,
      Input: scheduleInput(siteId, type),
      DeadLetterConfig: { Arn: deadLetterQueueArn },
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 60 },
    },
  };
}

/** AWS tells more of a schedule than was said of it. */
function isSubset(wanted: unknown, found: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return wanted === found;
  if (typeof found !== "object" || found === null) return false;
  return Object.entries(wanted).every(([name, value]) =>
    isSubset(value, (found as Record<string, unknown>)[name]),
  );
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
