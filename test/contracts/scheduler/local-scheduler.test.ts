// The local EventBridge Scheduler keeps the contract, and what only it promises: loopback, credentials, durability.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateScheduleCommand, GetScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { expect, test } from "vitest";
import { startScheduler } from "#local/scheduler/server.ts";
import { makeRig, scheduleInput } from "#test/local/scheduler/scheduler-rig.ts";
import { schedulerContract } from "./scheduler-contract.ts";

schedulerContract("local", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "scheduler-"));
  const server = await startScheduler({ dataDir, port: 0, deliver: async () => undefined });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new SchedulerClient({ endpoint: server.endpoint, region: "eu-central-1", credentials });
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server.close();
      await rm(dataDir, { recursive: true });
    },
  };
});

test("the message of a refusal says what is wrong and what would be right", async () => {
  await using rig = await makeRig("2026-05-04T10:00:00Z");
  const create = rig.client.send(
    new CreateScheduleCommand(scheduleInput({ ScheduleExpression: "rate(1 hours)" })),
  );
  await expect(create).rejects.toThrow(/AWS wants "1 hour".*Use rate\(12 hours\)/);
});

test("schedules survive a restart", async () => {
  await using rig = await makeRig("2026-05-04T10:00:00Z");
  const { ScheduleArn } = await rig.client.send(
    new CreateScheduleCommand(scheduleInput({ ScheduleExpression: "cron(0 3 * * ? *)" })),
  );
  await rig.restart();
  const found = await rig.client.send(new GetScheduleCommand({ Name: "site-1" }));
  expect(found).toMatchObject({ Arn: ScheduleArn, CreationDate: new Date("2026-05-04T10:00:00Z") });
});

test("a request without a well-formed signature, or of another service, is turned away", async () => {
  await using rig = await makeRig("2026-05-04T10:00:00Z");
  const config = await rig.client.config.endpoint?.();
  const url = `http://${config?.hostname}:${config?.port}/schedules`;
  const status = async (headers: Record<string, string>): Promise<[number, string | null]> => {
    const response = await fetch(url, { headers });
    await response.arrayBuffer();
    return [response.status, response.headers.get("x-amzn-errortype")];
  };
  const signature = `SignedHeaders=host, Signature=${"0".repeat(64)}`;
  const scope = "Credential=id/20260504/us-east-1";
  const authorization = `AWS4-HMAC-SHA256 ${scope}/sqs/aws4_request, ${signature}`;
  expect(await status({})).toEqual([403, "MissingAuthenticationTokenException"]);
  expect(await status({ authorization: "Bearer x" })).toEqual([400, "IncompleteSignatureException"]);
  expect(await status({ authorization })).toEqual([400, "IncompleteSignatureException"]);
  expect(await status({ authorization: authorization.replace("/sqs/", "/scheduler/") })).toEqual([200, null]);
});

test("a taken port is an error, not a hang, and leaves the data usable", async () => {
  await using rig = await makeRig("2026-05-04T10:00:00Z");
  const port = (await rig.client.config.endpoint?.())?.port ?? 0;
  const second = startScheduler({ dataDir: rig.dataDir, port, deliver: async () => undefined });
  await expect(second).rejects.toThrow("EADDRINUSE");
  await rig.client.send(new CreateScheduleCommand(scheduleInput()));
});
