// How the packaged pieces are joined: what starts each function and how often, what may write where, and what keeps a
// runaway from costing more than it can help.
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { describe, expect, test } from "vitest";
import type { TemplateResource } from "#test/helpers/package-master.ts";

export interface ResolvedTemplate {
  readonly ofType: (type: string) => [string, TemplateResource][];
  readonly propertiesOf: (id: string) => TemplateResource["Properties"];
}

/** What runs by itself, and how often. */
const CHORES: Readonly<Record<string, string>> = {
  WatchChore: "rate(15 minutes)",
  RetentionChore: "rate(1 hour)",
};
/** What is worked off a queue: its function, its queue. */
const QUEUES: Readonly<Record<string, string>> = { DeadLetter: "DeadLetterQueue", Stored: "StoredQueue" };

/** As a reference to it is worked out. */
const functionName = (name: string): string => `backupd-prod-${name.charAt(0).toLowerCase()}${name.slice(1)}`;

/** `template()` is there once the tests run. */
export function describeWiring(template: () => ResolvedTemplate): void {
  describe("what starts what", () => {
    test.each(Object.entries(CHORES))("%s runs by a rule of its own, one at a time", (name, rate) => {
      const { ofType, propertiesOf } = template();
      const rules = ofType("AWS::Events::Rule").filter(([, { Properties }]) =>
        JSON.stringify(Properties.Targets).includes(functionName(name)),
      );
      expect(rules).toHaveLength(1);
      const [[ruleId, rule] = ["", undefined]] = rules;
      expect(rule?.Properties).toMatchObject({ ScheduleExpression: rate, State: "ENABLED" });
      const permission = ofType("AWS::Lambda::Permission").find(([, { Properties }]) =>
        JSON.stringify(Properties.SourceArn ?? "").includes(ruleId),
      );
      expect(permission?.[1].Properties).toMatchObject({ Principal: "events.amazonaws.com" });
      expect(propertiesOf(`${name}LambdaFunction`).ReservedConcurrentExecutions).toBe(1);
    });

    test.each(Object.entries(QUEUES))(
      "%s takes its queue's messages, and gives back those that failed",
      (name, queue) => {
        const { ofType, propertiesOf } = template();
        const mapping = ofType("AWS::Lambda::EventSourceMapping").find(([, { Properties }]) =>
          JSON.stringify(Properties.FunctionName).includes(functionName(name)),
        );
        expect(mapping?.[1].Properties).toMatchObject({
          EventSourceArn: expect.stringContaining(String(propertiesOf(queue).QueueName ?? queue)),
          FunctionResponseTypes: ["ReportBatchItemFailures"],
          ScalingConfig: { MaximumConcurrency: expect.any(Number) },
        });
        // AWS' rule: a message must not come back while the function may still be at work on it.
        const { Timeout } = propertiesOf(`${name}LambdaFunction`);
        expect(Number(propertiesOf(queue).VisibilityTimeout)).toBeGreaterThanOrEqual(6 * Number(Timeout));
      },
    );

    test("the bucket's events reach the queue of new archives, and nothing else may write there", () => {
      const { propertiesOf } = template();
      expect(propertiesOf("StoredRule")).toMatchObject({
        State: "ENABLED",
        EventPattern: { source: ["aws.s3"], "detail-type": ["Object Created"] },
      });
      const { Statement } = propertiesOf("StoredQueuePolicy").PolicyDocument;
      expect(Statement).toMatchObject([
        {
          Effect: "Allow",
          Principal: { Service: "events.amazonaws.com" },
          Action: "sqs:SendMessage",
          Condition: { ArnEquals: { "aws:SourceArn": expect.stringContaining("StoredRule") } },
        },
      ]);
    });
  });

  describe("what may be done by whom", () => {
    test("Scheduler may send to nodes' queues and to the dead letters, and do nothing else anywhere", async () => {
      const { propertiesOf } = template();
      const role = propertiesOf("SchedulerRole");
      expect(role.AssumeRolePolicyDocument.Statement).toMatchObject([
        {
          Principal: { Service: "scheduler.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } },
        },
      ]);
      const arn = (queue: string): string => `arn:aws:sqs:eu-central-1:123456789012:${queue}`;
      const may = async (action: string, resource: string): Promise<string> => {
        const result = await runSimulation(
          {
            request: {
              principal: "arn:aws:sts::123456789012:assumed-role/scheduler/session",
              action,
              resource: { resource, accountId: "123456789012" },
              contextVariables: {},
            },
            identityPolicies: [{ name: "role", policy: role.Policies[0].PolicyDocument }],
            serviceControlPolicies: [],
            resourceControlPolicies: [],
          },
          {},
        );
        return result.resultType === "error" ? JSON.stringify(result.errors) : result.overallResult;
      };
      expect(await may("sqs:SendMessage", arn("backupd-prod-node-1"))).toBe("Allowed");
      for (const [action, queue] of [
        ["sqs:SendMessage", "somebody-elses"],
        ["sqs:SendMessage", "backupd-test-node-1"],
        ["sqs:ReceiveMessage", "backupd-prod-node-1"],
        ["sqs:DeleteQueue", "backupd-prod-node-1"],
      ] as const) {
        expect([action, queue, await may(action, arn(queue))]).toEqual([action, queue, "ImplicitlyDenied"]);
      }
    });

    test("only S3 itself writes the access log, from this account, and it is kept for 90 days", () => {
      const { propertiesOf } = template();
      expect(propertiesOf("AccessLogBucketPolicy").PolicyDocument.Statement).toMatchObject([
        { Effect: "Deny" },
        {
          Effect: "Allow",
          Principal: { Service: "logging.s3.amazonaws.com" },
          Action: "s3:PutObject",
          Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } },
        },
      ]);
      expect(propertiesOf("AccessLogBucket").LifecycleConfiguration.Rules).toContainEqual(
        expect.objectContaining({ Status: "Enabled", ExpirationInDays: 90 }),
      );
    });
  });

  describe("what keeps things in bounds", () => {
    test("a deleted archive stays for 30 days, an upload that nobody goes on with for 7", () => {
      const { propertiesOf } = template();
      const { Rules } = propertiesOf("Bucket").LifecycleConfiguration;
      expect(Rules).toMatchObject([
        { Status: "Enabled", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
        { Status: "Enabled", NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
      ]);
    });

    test("the API has limits for all calls, and narrow ones for enrolment, where anybody may knock", () => {
      const { ofType } = template();
      const [[, stage] = []] = ofType("AWS::ApiGatewayV2::Stage");
      expect(stage?.Properties.DefaultRouteSettings).toMatchObject({
        ThrottlingRateLimit: 500,
        ThrottlingBurstLimit: 1000,
      });
      expect(stage?.Properties.RouteSettings["POST /api/v1/nodes/enroll"]).toMatchObject({
        ThrottlingRateLimit: 5,
        ThrottlingBurstLimit: 20,
      });
    });

    test("everything that can be tagged says whose it is", () => {
      const { ofType } = template();
      for (const [id, { Properties }] of ofType("AWS::Lambda::Function")) {
        expect([id, Properties.Tags]).toEqual([
          id,
          expect.arrayContaining([
            { Key: "application", Value: "backupd" },
            { Key: "stage", Value: "prod" },
          ]),
        ]);
      }
    });
  });
}
