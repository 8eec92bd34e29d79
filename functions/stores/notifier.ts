// Where alerts go: the stack's own topic, and what the parameter of alert targets names. One target's trouble keeps
// nothing from the others.
import { placesOf, type TargetPlace } from "../core/alert-targets.ts";
import type { AlertMessage } from "../core/alerts.ts";
import { emailTarget } from "./notify-email.ts";
import { topicTarget } from "./notify-topic.ts";
import { webhookTarget } from "./notify-webhook.ts";
import { readTargets } from "./target-settings.ts";

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

const BEAT_MS = 10_000;

export interface NotifierSettings {
  readonly alertTopicArn: string | undefined;
  readonly alertTargetsParameter: string | undefined;
}

export function openNotifier(settings: NotifierSettings): Notifier {
  const { alertTopicArn, alertTargetsParameter } = settings;
  return {
    async tell(message) {
      const places = placesOf(await readTargets(alertTargetsParameter)).filter(isTold);
      const topic = alertTopicArn === undefined ? [] : [topicTarget(alertTopicArn)];
      return tellAll([...topic, ...places.map(targetAt)], message);
    },
    async beat() {
      const { heartbeat_url: url } = await readTargets(alertTargetsParameter);
      if (url !== undefined) await beatAt(url);
    },
  };
}

type ToldPlace = Exclude<TargetPlace, { kind: "heartbeat" }>;
const isTold = (place: TargetPlace): place is ToldPlace => place.kind !== "heartbeat";

export function targetAt(place: ToldPlace): AlertTarget {
  return place.kind === "email" ? emailTarget(place) : webhookTarget(place.url, place.secret);
}

export async function beatAt(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(BEAT_MS) });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`The heartbeat's address answered ${answer.status}.`);
}

export async function tellAll(targets: readonly AlertTarget[], message: AlertMessage): Promise<Delivery[]> {
  const sent = await settle(targets.map((target) => target.send(message)));
  return sent.map((result, index) => ({ name: targets[index]?.name ?? "", ...result }));
}

/** Waits for all; the errors of those that failed. */
export async function settle(work: readonly Promise<void>[]): Promise<{ error?: Error }[]> {
  return (await Promise.allSettled(work)).map((result) => {
    if (result.status === "fulfilled") return {};
    const { reason } = result;
    return { error: reason instanceof Error ? reason : new Error(String(reason)) };
  });
}
