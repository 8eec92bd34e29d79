// What the watch needs of any place that alerts go to: the message arrives whole, and a refusal is an error.
import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AlertTarget, openNotifier, tellAll } from "#functions/stores/notifier.ts";
import { emailTarget } from "#functions/stores/notify-email.ts";
import { topicTarget } from "#functions/stores/notify-topic.ts";
import { webhookTarget } from "#functions/stores/notify-webhook.ts";
import {
  type FakeNotifyServices,
  notifyEnvironment,
  startFakeNotifyServices,
} from "#test/fakes/fake-notify-services.ts";

const MESSAGE = { title: "Backupd: 1 new", lines: ["new: shop.example.com on web1 is overdue."] };
const NOTHING = { body: "", headers: {} as IncomingHttpHeaders };
const SECRET = "0123456789abcdef";

let services: FakeNotifyServices;
const former = { ...process.env };
beforeAll(async () => {
  services = await startFakeNotifyServices();
  Object.assign(process.env, notifyEnvironment(services), {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_MAX_ATTEMPTS: "1",
  });
});
beforeEach(() => {
  services.received.length = 0;
  services.refusals.length = 0;
  services.parameter = undefined;
});
afterAll(async () => {
  await services[Symbol.asyncDispose]();
  process.env = former;
});

const TARGETS: Readonly<Record<string, () => AlertTarget>> = {
  topic: () => topicTarget("arn:aws:sns:us-east-1:000000000000:alarms"),
  email: () => emailTarget({ from: "backupd@example.com", to: ["ops@example.com"] }),
  webhook: () => webhookTarget(`${services.url}/T0/s3cret`, SECRET),
};

describe.each(Object.keys(TARGETS))("%s", (name) => {
  const open = (): AlertTarget => {
    const make = TARGETS[name];
    if (make === undefined) throw new Error(name);
    return make();
  };

  test("delivers the title and every line, once", async () => {
    await open().send(MESSAGE);
    expect(services.received).toHaveLength(1);
    const text = decodeURIComponent((services.received[0]?.body ?? "").replaceAll("+", " "));
    for (const part of [MESSAGE.title, ...MESSAGE.lines]) expect(text).toContain(part);
  });

  test("says so when it is refused", async () => {
    services.refusals.push(403, 403, 403);
    await expect(open().send(MESSAGE)).rejects.toThrow(/./);
  });

  test("has a name without a secret", () => {
    expect(open().name).not.toContain("s3cret");
    expect(open().name).not.toContain(SECRET);
  });
});

describe("a webhook", () => {
  test("gets what Slack takes, signed with the time, so that a receiver can refuse forged and old ones", async () => {
    await webhookTarget(`${services.url}/T0/s3cret`, SECRET).send(MESSAGE);
    const [{ body, headers } = NOTHING] = services.received;
    expect(JSON.parse(body)).toEqual({ text: [MESSAGE.title, ...MESSAGE.lines].join("\n") });
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-backupd-signature"])) ?? [];
    expect(mac).toBe(createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex"));
  });

  test("is tried again when it is busy, and not when it refuses", async () => {
    services.refusals.push(503, 429);
    await webhookTarget(`${services.url}/T0/s3cret`, undefined).send(MESSAGE);
    expect(services.received).toHaveLength(3);
    services.refusals.push(404);
    await expect(webhookTarget(`${services.url}/T0/s3cret`, undefined).send(MESSAGE)).rejects.toThrow("404");
    expect(services.received).toHaveLength(4);
  });

  test("is not followed to another place", async () => {
    services.refusals.push(307);
    await expect(webhookTarget(`${services.url}/T0/s3cret`, undefined).send(MESSAGE)).rejects.toThrow(/./);
  });
});

describe("the notifier", () => {
  const settings = { alertTopicArn: notifyTopic(), alertTargetsParameter: "/backupd/local/alert-targets" };

  test("tells the topic alone while there is no parameter", async () => {
    expect(await openNotifier(settings).tell(MESSAGE)).toEqual([{ name: "the topic" }]);
  });

  test("tells all that the parameter names", async () => {
    const email = { from: "a@example.com", to: ["ops@example.com"] };
    services.parameter = JSON.stringify({ email });
    expect((await openNotifier(settings).tell(MESSAGE)).map(({ name }) => name)).toEqual([
      "the topic",
      "e-mail to ops@example.com",
    ]);
    expect(services.received).toHaveLength(2);
  });

  test("names every fault of the parameter and shows no value of it", async () => {
    services.parameter = JSON.stringify({
      webhooks: [{ url: "http://hooks.example.com/T0/s3cret" }],
      mail: 1,
    });
    const error = await openNotifier(settings).tell(MESSAGE).then(String, String);
    expect(error).toContain("webhooks.0.url");
    expect(error).not.toContain("s3cret");
  });

  test("keeps one target's trouble from the others", async () => {
    const broken: AlertTarget = { name: "broken", send: async () => Promise.reject(new Error("no")) };
    const told = await tellAll([broken, topicTarget(notifyTopic())], MESSAGE);
    expect(told).toEqual([{ name: "broken", error: new Error("no") }, { name: "the topic" }]);
    expect(services.received).toHaveLength(1);
  });
});

function notifyTopic(): string {
  return "arn:aws:sns:us-east-1:000000000000:backupd-local-alarms";
}
