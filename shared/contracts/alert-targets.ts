// Where alerts go. Addresses and secrets come in here and never come back whole: the path of a chat's webhook is its
// password, so an answer names its host only.
import * as z from "zod";

const SecretUrl = z
  .url({ protocol: /^https$/ })
  .max(1000)
  .refine(isWithoutUser, "must not have a user or password")
  .meta({ writeOnly: true });

function isWithoutUser(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return `${username}${password}` === "";
}

export const WebhookTarget = z.strictObject({
  kind: z.literal("webhook"),
  url: SecretUrl,
  secret: z
    .string()
    .min(16)
    .max(256)
    .regex(/^[\x21-\x7e]+$/, "must not have spaces")
    .meta({ writeOnly: true })
    .optional(),
});
export const EmailTarget = z.strictObject({
  kind: z.literal("email"),
  from: z.email().max(254),
  to: z.array(z.email().max(254)).min(1).max(20),
});
export const HeartbeatTarget = z.strictObject({ kind: z.literal("heartbeat"), url: SecretUrl });

/** There is one sender of e-mail and one heartbeat: another one takes its place. */
export const CreateAlertTarget = z.discriminatedUnion("kind", [WebhookTarget, EmailTarget, HeartbeatTarget]);
export type CreateAlertTarget = z.infer<typeof CreateAlertTarget>;

export const AlertTargetId = z.string().regex(/^(?:topic|[0-9a-f]{12})$/, "as the list of targets names it");
export const AlertTargetPath = z.strictObject({ id: AlertTargetId });

export const AlertTarget = z.object({
  id: AlertTargetId.describe("Follows from the address; the stack's own topic is `topic`"),
  kind: z.enum(["topic", "webhook", "email", "heartbeat"]),
  name: z.string().describe("For people; of a URL the host only"),
  is_signed: z.boolean().describe("A webhook with a secret"),
});
export type AlertTarget = z.infer<typeof AlertTarget>;

export const AlertTargets = z.object({ items: z.array(AlertTarget) });
export const TestedTarget = z.object({
  id: AlertTargetId,
  name: z.string(),
  error: z.string().nullable().describe("null: it took the message"),
});
