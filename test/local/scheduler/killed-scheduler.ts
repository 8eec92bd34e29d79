// A scheduler process that dies by kill -9 right after its first delivery: the worst moment there is.
import { writeSync } from "node:fs";
import { CreateScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { startScheduler } from "#local/scheduler/server.ts";
import { scheduleInput } from "./scheduler-rig.ts";

const { endpoint } = await startScheduler({
  dataDir: process.argv[2] ?? "",
  port: 0,
  deliver: async (_queueArn, body) => {
    writeSync(1, body);
    process.kill(process.pid, "SIGKILL");
  },
});
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const client = new SchedulerClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
const input = scheduleInput({ target: { Input: "<aws.scheduler.execution-id>" } });
await client.send(new CreateScheduleCommand(input));
