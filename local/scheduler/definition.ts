// What a schedule may say: the body of CreateSchedule and UpdateSchedule, checked before anything is stored.
// Only SQS targets exist here; a target of another kind is refused rather than kept and never delivered.
import { z } from "zod";
import { BackupError } from "#shared/errors.ts";
import {
  parseExpression,
  parseTimeZone,
  runsAfter,
  type ScheduleTiming,
} from "#shared/schedule-expression.ts";
import { ApiError } from "./api-error.ts";

export const Name = z.string().regex(/^[0-9A-Za-z._-]{1,64}$/, "1 to 64 of letters, digits, - _ and .");
const QueueArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}$/, "must be the ARN of a standard SQS queue");
const EpochSeconds = z.number().transform((seconds) => Math.floor(seconds) * 1000);

export const Definition = z.strictObject({
  Name: Name.optional(),
  GroupName: Name.default("default"),
  ClientToken: z.string().max(64).optional(),
  ScheduleExpression: z.string().min(1).max(256),
  ScheduleExpressionTimezone: z.string().min(1).max(50).default("UTC"),
  StartDate: EpochSeconds.optional(),
  EndDate: EpochSeconds.optional(),
  State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  Description: z.string().max(512).optional(),
  KmsKeyArn: z.string().max(2048).optional(),
  ActionAfterCompletion: z.enum(["NONE", "DELETE"]).default("NONE"),
  FlexibleTimeWindow: z.discriminatedUnion("Mode", [
    z.strictObject({ Mode: z.literal("OFF") }),
    z.strictObject({ Mode: z.literal("FLEXIBLE"), MaximumWindowInMinutes: z.int().min(1).max(1440) }),
  ]),
  Target: z.strictObject({
    Arn: QueueArn,
    RoleArn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, "must be the ARN of a role"),
    Input: z.string().min(1).max(262_144).optional(),
    DeadLetterConfig: z.strictObject({ Arn: QueueArn.optional() }).optional(),
    RetryPolicy: z
      .strictObject({
        MaximumRetryAttempts: z.int().min(0).max(185).optional(),
        MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional(),
      })
      .optional(),
  }),
});
/** As stored: dates in ms. */
export type Definition = z.infer<typeof Definition>;

/** The checked definition; throws ValidationException naming every fault. */
export function parseDefinition(body: unknown, now: Date): Definition {
  const definition = parse(Definition, body);
  const { StartDate, EndDate } = definition;
  if (EndDate !== undefined && EndDate <= now.getTime())
    invalid("The EndDate you specify must come after now.");
  if (EndDate !== undefined && StartDate !== undefined && EndDate <= StartDate) {
    invalid("The EndDate you specify must come after StartDate.");
  }
  const timing = timingOf(definition, now.getTime());
  if (timing.expression.kind === "at" && runsAfter(timing, now).next().done) {
    const { ScheduleExpression: at, ScheduleExpressionTimezone: zone } = definition;
    invalid(`Invalid Schedule Expression ${at}: that time is past, or the clocks in ${zone} jump over it.`);
  }
  return definition;
}

/** When the definition runs, its rate (if it is one) counted from `anchorMs`. */
export function timingOf(definition: Definition, anchorMs: number): ScheduleTiming {
  try {
    return {
      expression: parseExpression(definition.ScheduleExpression),
      timeZone: parseTimeZone(definition.ScheduleExpressionTimezone),
      anchor: new Date(anchorMs),
      start: definition.StartDate === undefined ? undefined : new Date(definition.StartDate),
      end: definition.EndDate === undefined ? undefined : new Date(definition.EndDate),
    };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new ApiError("ValidationException", `${error.message} ${error.hint}`, { cause: error });
  }
}

/** `value` by that schema; throws ValidationException naming every fault. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join(".") || "request"}: ${issue.message}`);
  return invalid(`${faults.length} validation error(s): ${faults.join("; ")}`);
}

function invalid(message: string): never {
  throw new ApiError("ValidationException", message);
}
