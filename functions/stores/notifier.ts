// Where alerts go: the stack's own topic, and what the parameter of alert targets names. The parameter is a SecureString,
// because a chat's webhook address is a secret by itself. One target's trouble keeps nothing from the others.
import { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
import * as z from "zod";
import type { AlertMessage } from "../core/alerts.ts";
import { awsClient } from "./aws-client.ts";
import { emailTarget } from "./notify-email.ts";
import { topicTarget } from "./notify-topic.ts";
import { webhookTarget } from "./notify-webhook.ts";

/** One place that people look at. `send` throws when the message is not known to have arrived there. */
export interface AlertTarget {
  /** For people; never an address that is a secret. */
  readonly name: string;
  send(message: AlertMessage): Promise<void>;
}

export interface Delivery {
  readonly name: string;
  readonly error?: Error;
}

export interface Notifier {
  /** Tells every target; what became of each. */
  tell(message: AlertMessage): Promise<Delivery[]>;
  /** Tells an outside watchdog, if there is one, that the watch still runs. */
  beat(): Promise<void>;
}

const AlertTargets = z.strictObject({
  webhooks: z
    .array(z.strictObject({ url: z.url({ protocol: /^https$/ }), secret: z.string().min(16).optional() }))
    .max(10)
    .default([]),
  email: z.strictObject({ from: z.email(), to: z.array(z.email()).min(1).max(20) }).optional(),
  heartbeat_url: z.url({ protocol: /^https$/ }).optional(),
});
type AlertTargets = z.infer<typeof AlertTargets>;

const BEAT_MS = 10_000;

export interface NotifierSettings {
  readonly alertTopicArn: string | undefined;
  readonly alertTargetsParameter: string | undefined;
}

export function openNotifier(settings: NotifierSettings): Notifier {
  const { alertTopicArn, alertTargetsParameter } = settings;
  const targetsOf = ({ webhooks, email }: AlertTargets): AlertTarget[] => [
    ...(alertTopicArn === undefined ? [] : [topicTarget(alertTopicArn)]),
    ...webhooks.map(({ url, secret }) => webhookTarget(url, secret)),
    ...(email === undefined ? [] : [emailTarget(email)]),
  ];
  return {
    async tell(message) {
      return tellAll(targetsOf(await readTargets(alertTargetsParameter)), message);
    },
    async beat() {
      const { heartbeat_url: url } = await readTargets(alertTargetsParameter);
      if (url === undefined) return;
      const answer = await fetch(url, { signal: AbortSignal.timeout(BEAT_MS) });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`The heartbeat's address answered ${answer.status}.`);
    },
  };
}

export async function tellAll(targets: readonly AlertTarget[], message: AlertMessage): Promise<Delivery[]> {
  const sent = await Promise.allSettled(targets.map((target) => target.send(message)));
  return sent.map((result, index) => {
    const name = targets[index]?.name ?? "";
    if (result.status === "fulfilled") return { name };
    const { reason } = result;
    return { name, error: reason instanceof Error ? reason : new Error(String(reason)) };
  });
}

/** Without the parameter there are no further targets; one that cannot be read is an error, and never shown. */
async function readTargets(name: string | undefined): Promise<AlertTargets> {
  if (name === undefined) return { webhooks: [] };
  const client = awsClient(new SSMClient({}));
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    const parsed = AlertTargets.safeParse(JSON.parse(Parameter?.Value ?? "null"));
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new Error(`The parameter ${name} is not valid: ${faults.join("; ")}`);
  } catch (error) {
    if (error instanceof ParameterNotFound) return { webhooks: [] };
    if (error instanceof SyntaxError) throw new Error(`The parameter ${name} is not JSON.`);
    throw error;
  } finally {
    client.destroy();
  }
}
