// What we rely on in the EventBridge Scheduler API; run against the local one, and against AWS when asked to.
import {
  ConflictException,
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListScheduleGroupsCommand,
  ListSchedulesCommand,
  paginateListSchedules,
  ResourceNotFoundException,
  type SchedulerClient,
  UpdateScheduleCommand,
  ValidationException,
} from "@aws-sdk/client-scheduler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEAD_LETTERS, QUEUE, scheduleInput } from "#test/local/scheduler/scheduler-rig.ts";

export interface OpenClient extends AsyncDisposable {
  readonly client: SchedulerClient;
}

export function schedulerContract(name: string, open: () => Promise<OpenClient>): void {
  describe(`EventBridge Scheduler: ${name}`, () => {
    let opened: OpenClient;
    let client: SchedulerClient;
    const GroupName = `contract-${Date.now()}`;
    // Far enough away that nothing fires while this runs.
    const input = (overrides: Parameters<typeof scheduleInput>[0] = {}): ReturnType<typeof scheduleInput> =>
      scheduleInput({ GroupName, ScheduleExpression: "cron(0 3 1 1 ? 2199)", ...overrides });

    beforeAll(async () => {
      opened = await open();
      client = opened.client;
      await client.send(new CreateScheduleGroupCommand({ Name: GroupName }));
    });
    afterAll(async () => {
      await client.send(new DeleteScheduleGroupCommand({ Name: GroupName }));
      await opened[Symbol.asyncDispose]();
    });

    test("a schedule comes back as it was made, with the defaults filled in", async () => {
      const StartDate = new Date("2098-01-01T00:00:00Z");
      const EndDate = new Date("2199-06-01T00:00:00Z");
      const made = await client.send(
        new CreateScheduleCommand(
          input({
            Name: "full.one_2",
            StartDate,
            EndDate,
            Description: "nightly",
            ScheduleExpressionTimezone: "Europe/Berlin",
            FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 30 },
            target: { DeadLetterConfig: { Arn: DEAD_LETTERS }, RetryPolicy: { MaximumRetryAttempts: 5 } },
          }),
        ),
      );
      expect(made.ScheduleArn).toMatch(
        /^arn:aws:scheduler:[a-z0-9-]+:\d{12}:schedule\/contract-\d+\/full\.one_2$/,
      );
      const found = await client.send(new GetScheduleCommand({ Name: "full.one_2", GroupName }));
      expect(found).toMatchObject({
        Arn: made.ScheduleArn,
        Name: "full.one_2",
        GroupName,
        StartDate,
        EndDate,
        Description: "nightly",
        State: "ENABLED",
        ActionAfterCompletion: "NONE",
        ScheduleExpression: "cron(0 3 1 1 ? 2199)",
        ScheduleExpressionTimezone: "Europe/Berlin",
        FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 30 },
        Target: {
          Arn: QUEUE,
          Input: "<aws.scheduler.scheduled-time>",
          DeadLetterConfig: { Arn: DEAD_LETTERS },
          RetryPolicy: { MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 86_400 },
        },
      });
      expect(found.CreationDate).toBeInstanceOf(Date);
      expect(found).not.toHaveProperty("ClientToken");
    });

    test("an update replaces everything: what it leaves out goes back to its default", async () => {
      await client.send(
        new CreateScheduleCommand(input({ Name: "update", Description: "old", State: "DISABLED" })),
      );
      await client.send(
        new UpdateScheduleCommand(input({ Name: "update", ScheduleExpression: "rate(9 days)" })),
      );
      const found = await client.send(new GetScheduleCommand({ Name: "update", GroupName }));
      expect(found).toMatchObject({ ScheduleExpression: "rate(9 days)", State: "ENABLED" });
      expect(found.Description).toBeUndefined();
    });

    test("a deleted schedule is gone", async () => {
      await client.send(new CreateScheduleCommand(input({ Name: "gone" })));
      await client.send(new DeleteScheduleCommand({ Name: "gone", GroupName }));
      for (const command of [
        new GetScheduleCommand({ Name: "gone", GroupName }),
        new DeleteScheduleCommand({ Name: "gone", GroupName }),
        new UpdateScheduleCommand(input({ Name: "gone" })),
      ]) {
        // biome-ignore lint/suspicious/noExplicitAny: the three commands have no common type that send() takes.
        await expect(client.send(command as any)).rejects.toBeInstanceOf(ResourceNotFoundException);
      }
    });

    test("a name is taken once per group; the same client token repeats the answer instead", async () => {
      const create = (
        more: Parameters<typeof scheduleInput>[0] = {},
      ): Promise<{ ScheduleArn: string | undefined }> =>
        client.send(
          new CreateScheduleCommand(input({ Name: "twice", ClientToken: `${GroupName}-a`, ...more })),
        );
      const first = await create();
      expect((await create()).ScheduleArn).toBe(first.ScheduleArn);
      await expect(create({ Description: "other" })).rejects.toBeInstanceOf(ConflictException);
      const conflict = create({ ClientToken: `${GroupName}-b` });
      await expect(conflict).rejects.toMatchObject({
        name: "ConflictException",
        $metadata: { httpStatusCode: 409 },
      });
      await client.send(new CreateScheduleCommand(input({ Name: "twice", GroupName: "default" })));
      await client.send(new DeleteScheduleCommand({ Name: "twice" }));
    });

    test("a delete can be repeated with its client token", async () => {
      await client.send(new CreateScheduleCommand(input({ Name: "token" })));
      const command = { Name: "token", GroupName, ClientToken: `${GroupName}-delete` };
      await client.send(new DeleteScheduleCommand(command));
      await client.send(new DeleteScheduleCommand(command));
    });

    test("lists by group, prefix and state, page by page", async () => {
      const names = Array.from({ length: 7 }, (_, index) => `page-${index}`);
      for (const [index, Name] of names.entries()) {
        const State = index % 2 === 0 ? "ENABLED" : "DISABLED";
        await client.send(new CreateScheduleCommand(input({ Name, State })));
      }
      const found: (string | undefined)[] = [];
      let pages = 0;
      for await (const page of paginateListSchedules(
        { client, pageSize: 3 },
        { GroupName, NamePrefix: "page-" },
      )) {
        pages += 1;
        found.push(...(page.Schedules ?? []).map((schedule) => schedule.Name));
      }
      expect(found).toEqual(names);
      expect(pages).toBe(3);
      const query = { GroupName, NamePrefix: "page-", State: "DISABLED" } as const;
      const disabled = await client.send(new ListSchedulesCommand(query));
      expect(disabled.Schedules).toHaveLength(3);
      expect(disabled.Schedules?.[0]).toMatchObject({
        Name: "page-1",
        State: "DISABLED",
        Target: { Arn: QUEUE },
      });
      expect(disabled.NextToken).toBeUndefined();
    });

    test("groups: found, listed, unique, and deleted with their schedules", async () => {
      const Name = `${GroupName}-group`;
      const made = await client.send(new CreateScheduleGroupCommand({ Name }));
      await client.send(new CreateScheduleCommand(input({ Name: "inside", GroupName: Name })));
      expect(await client.send(new GetScheduleGroupCommand({ Name }))).toMatchObject({
        Arn: made.ScheduleGroupArn,
        State: "ACTIVE",
      });
      const listed = await client.send(
        new ListScheduleGroupsCommand({ NamePrefix: GroupName, MaxResults: 1 }),
      );
      const NextToken = listed.NextToken;
      const rest = await client.send(new ListScheduleGroupsCommand({ NamePrefix: GroupName, NextToken }));
      const names = [...(listed.ScheduleGroups ?? []), ...(rest.ScheduleGroups ?? [])].map(
        (group) => group.Name,
      );
      expect(names).toEqual([GroupName, Name]);
      await expect(client.send(new CreateScheduleGroupCommand({ Name }))).rejects.toBeInstanceOf(
        ConflictException,
      );
      await client.send(new DeleteScheduleGroupCommand({ Name }));
      const inside = client.send(new GetScheduleCommand({ Name: "inside", GroupName: Name }));
      await expect(inside).rejects.toBeInstanceOf(ResourceNotFoundException);
      const orphan = client.send(new CreateScheduleCommand(input({ GroupName: "no-such-group" })));
      await expect(orphan).rejects.toBeInstanceOf(ResourceNotFoundException);
    });

    test.each([
      ["an expression", { ScheduleExpression: "cron(0 3 * * *)" }],
      ["a time zone", { ScheduleExpressionTimezone: "Mars/Olympus" }],
      ["a time in the past", { ScheduleExpression: "at(2001-01-01T00:00:00)" }],
      ["an EndDate in the past", { EndDate: new Date("2001-01-01T00:00:00Z") }],
      ["a flexible window without its length", { FlexibleTimeWindow: { Mode: "FLEXIBLE" } as const }],
      [
        "a window of three days",
        { FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 4320 } as const },
      ],
      ["a name", { Name: "with space" }],
      ["a target", { target: { Arn: "not-an-arn" } }],
      ["too many retries", { target: { RetryPolicy: { MaximumRetryAttempts: 186 } } }],
      ["too short an event age", { target: { RetryPolicy: { MaximumEventAgeInSeconds: 59 } } }],
    ])("refuses %s with a ValidationException", async (_what, overrides) => {
      const error = await client
        .send(new CreateScheduleCommand(input({ Name: "bad", ...overrides })))
        .catch((e) => e);
      expect(error).toBeInstanceOf(ValidationException);
      expect(error.message.length).toBeGreaterThan(10);
    });
  });
}
