// Where alerts go, as the parameter of alert targets keeps it, and what an admin's change makes of that. Each place has an
// id that follows from its address, so that a list needs to show no address to let one be named.
import { createHash } from "node:crypto";
import * as z from "zod";
import type { AlertTarget, CreateAlertTarget } from "#shared/contracts/alert-targets.ts";
import { BackupError } from "#shared/errors.ts";

const MAX_WEBHOOKS = 10;
/** Of a standard parameter of SSM. */
const MAX_BYTES = 4096;

export const TargetSettings = z.strictObject({
  webhooks: z
    .array(z.strictObject({ url: z.url({ protocol: /^https$/ }), secret: z.string().min(16).optional() }))
    .max(MAX_WEBHOOKS)
    .default([]),
  email: z.strictObject({ from: z.email(), to: z.array(z.email()).min(1).max(20) }).optional(),
  heartbeat_url: z.url({ protocol: /^https$/ }).optional(),
});
export type TargetSettings = z.infer<typeof TargetSettings>;

export type TargetPlace = CreateAlertTarget & { readonly id: string };

export function placesOf({ webhooks, email, heartbeat_url: url }: TargetSettings): TargetPlace[] {
  return [
    ...webhooks.map((webhook) => placeOf({ kind: "webhook", ...webhook })),
    ...(email === undefined ? [] : [placeOf({ kind: "email", ...email })]),
    ...(url === undefined ? [] : [placeOf({ kind: "heartbeat", url })]),
  ];
}

export function placeOf(target: CreateAlertTarget): TargetPlace {
  // There is one of e-mail, whatever its addresses are.
  const address = target.kind === "email" ? "" : target.url;
  const id = createHash("sha256").update(`${target.kind} ${address}`).digest("hex").slice(0, 12);
  return { ...target, id };
}

/** The same webhook again gets the new secret, or none. @throws BackupError `conflict` when there is no room for it. */
export function withTarget(settings: TargetSettings, added: CreateAlertTarget): TargetSettings {
  const changed = merged(settings, added);
  if (changed.webhooks.length > MAX_WEBHOOKS) throw noRoom(`There are ${MAX_WEBHOOKS} webhooks already.`);
  const bytes = Buffer.byteLength(JSON.stringify(changed));
  if (bytes > MAX_BYTES) throw noRoom(`All targets together would need ${bytes} of ${MAX_BYTES} bytes.`);
  return changed;
}

function merged(settings: TargetSettings, added: CreateAlertTarget): TargetSettings {
  if (added.kind === "email") return { ...settings, email: { from: added.from, to: added.to } };
  if (added.kind === "heartbeat") return { ...settings, heartbeat_url: added.url };
  const { kind: _kind, ...webhook } = added;
  return { ...settings, webhooks: [...settings.webhooks.filter(({ url }) => url !== added.url), webhook] };
}

function noRoom(detail: string): BackupError {
  return new BackupError("conflict", { detail, hint: "Remove a target first." });
}

/** @throws BackupError `not_found`. */
export function withoutTarget(settings: TargetSettings, id: string): TargetSettings {
  const place = findPlace(settings, id);
  const { webhooks, email, heartbeat_url: url } = settings;
  return {
    webhooks: webhooks.filter((webhook) => place.kind !== "webhook" || webhook.url !== place.url),
    ...(email === undefined || place.kind === "email" ? {} : { email }),
    ...(url === undefined || place.kind === "heartbeat" ? {} : { heartbeat_url: url }),
  };
}

export function findPlace(settings: TargetSettings, id: string): TargetPlace {
  const place = placesOf(settings).find((one) => one.id === id);
  if (place === undefined) throw noSuchTarget(id);
  return place;
}

function noSuchTarget(id: string): BackupError {
  return new BackupError("not_found", { detail: `There is no alert target ${id}.` });
}

/** The stack's own topic: it is not in the parameter, and cannot be removed. */
export const TOPIC: AlertTarget = { id: "topic", kind: "topic", name: "the topic", is_signed: false };

/** No more of an address than a host says. */
export function viewPlace(place: TargetPlace): AlertTarget {
  const { id, kind } = place;
  const isSigned = place.kind === "webhook" && place.secret !== undefined;
  return { id, kind, name: nameOf(place), is_signed: isSigned };
}

function nameOf(place: TargetPlace): string {
  if (place.kind === "email") return `e-mail to ${place.to.join(", ")}`;
  const { host } = new URL(place.url);
  return place.kind === "webhook" ? `the webhook at ${host}` : `the watchdog at ${host}`;
}
