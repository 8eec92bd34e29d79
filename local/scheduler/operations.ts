// The operations of the EventBridge Scheduler API on the store: what each checks, changes and answers.
import { createHash } from "node:crypto";
import { z } from "zod";
import { ApiError } from "./api-error.ts";
import { type Definition, Name, parse, parseDefinition } from "./definition.ts";
import { planNext } from "./plan-next.ts";
import type { Group, Schedule, SchedulerStore } from "./store.ts";

const ACCOUNT = "000000000000";
const DEFAULT_GROUP = "default";
const TOKEN_TTL_MS = 8 * 3_600_000;

export interface Call {
  readonly name: string;
  /** From the request's signature: where the ARNs are. */
  readonly region: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly now: Date;
}

export type Operation = (store: SchedulerStore, call: Call) => Record<string, unknown>;

export const createSchedule: Operation = (store, call) =>
  once(store, call, "CreateSchedule", () => {
    const definition = readDefinition(call);
    const { GroupName: group } = definition;
    needGroup(store, group);
    if (store.getSchedule(group, call.name)) {
      throw new ApiError("ConflictException", `Schedule ${call.name} already exists.`);
    }
    const arn = `arn:aws:scheduler:${call.region}:${ACCOUNT}:schedule/${group}/${call.name}`;
    const nowMs = call.now.getTime();
    const times = { createdMs: nowMs, modifiedMs: nowMs, anchorMs: wholeSeconds(nowMs), computedMs: nowMs };
    const unplanned = { lastScheduledMs: null, nextScheduledMs: null, nextDueMs: null };
    store.putSchedule(planNext({ group, name: call.name, arn, definition, ...times, ...unplanned }, nowMs));
    return { ScheduleArn: arn };
  });

export const updateSchedule: Operation = (store, call) =>
  once(store, call, "UpdateSchedule", () => {
    const definition = readDefinition(call);
    const current = needSchedule(store, definition.GroupName, call.name);
    const nowMs = call.now.getTime();
    const changed = { ...current, definition, modifiedMs: nowMs };
    // A new description must not restart a rate's beat, nor lose a run that waits in its flexible window.
    if (timingKey(definition) === timingKey(current.definition)) store.putSchedule(changed);
    else store.putSchedule(planNext({ ...changed, anchorMs: wholeSeconds(nowMs) }, nowMs));
    return { ScheduleArn: current.arn };
  });

export const getSchedule: Operation = (store, call) => {
  const schedule = needSchedule(store, call.query.get("groupName") ?? DEFAULT_GROUP, call.name);
  const { StartDate, EndDate, ClientToken: _token, Target, ...definition } = schedule.definition;
  const retries = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185, ...Target.RetryPolicy };
  return {
    ...definition,
    ...(StartDate === undefined ? {} : { StartDate: StartDate / 1000 }),
    ...(EndDate === undefined ? {} : { EndDate: EndDate / 1000 }),
    ...identity(schedule),
    Target: { ...Target, RetryPolicy: retries },
  };
};

export const deleteSchedule: Operation = (store, call) =>
  once(store, call, "DeleteSchedule", () => {
    const { group, name } = needSchedule(store, call.query.get("groupName") ?? DEFAULT_GROUP, call.name);
    store.deleteSchedule(group, name);
    return {};
  });

const Page = z.object({
  NamePrefix: Name.optional(),
  NextToken: z.string().max(2048).optional(),
  MaxResults: z.coerce.number().int().min(1).max(100).default(100),
});
const SchedulesPage = Page.extend({
  ScheduleGroup: Name.optional(),
  State: z.enum(["ENABLED", "DISABLED"]).optional(),
});

export const listSchedules: Operation = (store, { query }) => {
  const page = parse(SchedulesPage, Object.fromEntries(query));
  if (page.ScheduleGroup !== undefined) needGroup(store, page.ScheduleGroup);
  const [afterGroup = "", afterName = ""] = readPageToken(page.NextToken);
  const found = store.listSchedules({
    group: page.ScheduleGroup,
    namePrefix: page.NamePrefix,
    state: page.State,
    after: [afterGroup, afterName],
    limit: page.MaxResults + 1,
  });
  const items = found.slice(0, page.MaxResults);
  const last = found.length > items.length ? items.at(-1) : undefined;
  return {
    Schedules: items.map((schedule) => ({
      ...identity(schedule),
      State: schedule.definition.State,
      Target: { Arn: schedule.definition.Target.Arn },
    })),
    ...(last ? { NextToken: pageToken(last.group, last.name) } : {}),
  };
};

export const createScheduleGroup: Operation = (store, call) =>
  once(store, call, "CreateScheduleGroup", () => {
    parse(Name, call.name);
    if (store.getGroup(call.name)) {
      throw new ApiError("ConflictException", `Schedule group ${call.name} already exists.`);
    }
    const group = makeGroup(call.name, call.region, call.now.getTime());
    store.putGroup(group);
    return { ScheduleGroupArn: group.arn };
  });

export const getScheduleGroup: Operation = (store, call) => describeGroup(needGroup(store, call.name));

/** AWS deletes a group's schedules in the background; here they are gone when the call returns. */
export const deleteScheduleGroup: Operation = (store, call) =>
  once(store, call, "DeleteScheduleGroup", () => {
    if (call.name === DEFAULT_GROUP) {
      throw new ApiError("ValidationException", "The default schedule group cannot be deleted.");
    }
    store.deleteGroup(needGroup(store, call.name).name);
    return {};
  });

export const listScheduleGroups: Operation = (store, { query }) => {
  const page = parse(Page, Object.fromEntries(query));
  const [after = ""] = readPageToken(page.NextToken);
  const found = store.listGroups(page.NamePrefix ?? "", after, page.MaxResults + 1);
  const items = found.slice(0, page.MaxResults);
  const last = found.length > items.length ? items.at(-1) : undefined;
  return {
    ScheduleGroups: items.map(describeGroup),
    ...(last ? { NextToken: pageToken(last.name) } : {}),
  };
};

/** Every region has a default group; ours is made with the store. */
export function ensureDefaultGroup(store: SchedulerStore, region: string, now: Date): void {
  if (!store.getGroup(DEFAULT_GROUP)) store.putGroup(makeGroup(DEFAULT_GROUP, region, now.getTime()));
}

/** Runs a change once per client token: a repeated call gets the first one's answer, a different one a conflict. */
function once(
  store: SchedulerStore,
  call: Call,
  operation: string,
  change: () => Record<string, unknown>,
): Record<string, unknown> {
  const token = tokenOf(call);
  const nowMs = call.now.getTime();
  const request = createHash("sha256")
    .update(JSON.stringify([operation, call.name, call.query.toString(), call.body]))
    .digest("base64");
  return store.transaction(() => {
    const earlier = token === undefined ? undefined : store.getToken(token, nowMs);
    if (earlier && earlier.request !== request) {
      throw new ApiError("ConflictException", `Client token ${token} was used with other parameters.`);
    }
    if (earlier) return JSON.parse(earlier.response) as Record<string, unknown>;
    const response = change();
    if (token !== undefined) {
      store.putToken(token, { request, response: JSON.stringify(response), nowMs, ttlMs: TOKEN_TTL_MS });
    }
    return response;
  });
}

function tokenOf(call: Call): string | undefined {
  const body = call.body as { ClientToken?: unknown } | null | undefined;
  const token = call.query.get("clientToken") ?? body?.ClientToken;
  if (token === undefined || token === null) return undefined;
  return parse(
    z.string().regex(/^[a-zA-Z0-9-_]{1,64}$/, "ClientToken: 1 to 64 letters, digits, - and _"),
    token,
  );
}

function readDefinition(call: Call): Definition {
  parse(Name, call.name);
  return parseDefinition(call.body, call.now);
}

function needGroup(store: SchedulerStore, name: string): Group {
  const group = store.getGroup(name);
  if (group) return group;
  throw new ApiError("ResourceNotFoundException", `Schedule group ${name} does not exist.`);
}

function needSchedule(store: SchedulerStore, group: string, name: string): Schedule {
  needGroup(store, group);
  const schedule = store.getSchedule(group, name);
  if (schedule) return schedule;
  throw new ApiError("ResourceNotFoundException", `Schedule ${name} does not exist.`);
}

function timingKey(definition: Definition): string {
  const { ScheduleExpression, ScheduleExpressionTimezone, StartDate, EndDate, State } = definition;
  const window = definition.FlexibleTimeWindow;
  return JSON.stringify([ScheduleExpression, ScheduleExpressionTimezone, StartDate, EndDate, State, window]);
}

function identity(schedule: Schedule): Record<string, unknown> {
  return {
    Arn: schedule.arn,
    GroupName: schedule.group,
    Name: schedule.name,
    CreationDate: schedule.createdMs / 1000,
    LastModificationDate: schedule.modifiedMs / 1000,
  };
}

function makeGroup(name: string, region: string, nowMs: number): Group {
  const arn = `arn:aws:scheduler:${region}:${ACCOUNT}:schedule-group/${name}`;
  return { name, arn, createdMs: nowMs, modifiedMs: nowMs };
}

function describeGroup(group: Group): Record<string, unknown> {
  return {
    Arn: group.arn,
    Name: group.name,
    State: "ACTIVE",
    CreationDate: group.createdMs / 1000,
    LastModificationDate: group.modifiedMs / 1000,
  };
}

const PageKey = z.array(z.string()).max(2);

function pageToken(...key: string[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

function readPageToken(token: string | undefined): string[] {
  if (token === undefined) return [];
  try {
    return PageKey.parse(JSON.parse(Buffer.from(token, "base64url").toString()));
  } catch (cause) {
    throw new ApiError("ValidationException", "Invalid NextToken.", { cause });
  }
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
