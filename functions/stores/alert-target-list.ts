// The alert targets one by one, for the admins who set them up.
import type { AlertTarget, CreateAlertTarget } from "#shared/contracts/alert-targets.ts";
import {
  findPlace,
  placeOf,
  placesOf,
  TOPIC,
  viewPlace,
  withoutTarget,
  withTarget,
} from "../core/alert-targets.ts";
import type { AlertMessage } from "../core/alerts.ts";
import { beatAt, type NotifierSettings, settle, targetAt } from "./notifier.ts";
import { topicTarget } from "./notify-topic.ts";
import { changeTargets, readTargets } from "./target-settings.ts";

export interface AlertTargetList {
  all(): Promise<AlertTarget[]>;
  /** @throws BackupError `conflict`. */
  add(target: CreateAlertTarget): Promise<AlertTarget>;
  /** What it was. @throws BackupError `not_found`, `conflict`. */
  remove(id: string): Promise<AlertTarget>;
  /** Tells that one alone; a watchdog gets a beat. @throws BackupError `not_found`. */
  test(id: string, message: AlertMessage): Promise<{ target: AlertTarget; error?: Error }>;
}

export function openAlertTargetList(settings: NotifierSettings): AlertTargetList {
  const { alertTopicArn: topicArn, alertTargetsParameter: parameter } = settings;
  return {
    async all() {
      const places = placesOf(await readTargets(parameter)).map(viewPlace);
      return topicArn === undefined ? places : [TOPIC, ...places];
    },
    async add(target) {
      await changeTargets(parameter, (settings) => withTarget(settings, target));
      return viewPlace(placeOf(target));
    },
    async remove(id) {
      const before = await changeTargets(parameter, (settings) => withoutTarget(settings, id));
      return viewPlace(findPlace(before, id));
    },
    async test(id, message) {
      if (id === TOPIC.id && topicArn !== undefined) {
        return { target: TOPIC, ...(await failureOf(topicTarget(topicArn).send(message))) };
      }
      const place = findPlace(await readTargets(parameter), id);
      const work = place.kind === "heartbeat" ? beatAt(place.url) : targetAt(place).send(message);
      return { target: viewPlace(place), ...(await failureOf(work)) };
    },
  };
}

async function failureOf(work: Promise<void>): Promise<{ error?: Error }> {
  const [{ error } = {}] = await settle([work]);
  return error === undefined ? {} : { error };
}
