// Who changed what: one record for every mutating call, kept apart from the things themselves.
import * as z from "zod";
import { Id, Timestamp } from "./common.ts";

export const Activity = z.object({
  id: Id,
  at: Timestamp,
  actor: z.object({ kind: z.enum(["operator", "node", "system"]), id: z.string(), label: z.string() }),
  action: z.string().describe("For instance `site.created`"),
  target: z.object({ kind: z.string(), id: z.string() }),
  details: z.record(z.string(), z.unknown()),
  correlation_id: z.string().optional().describe("Of the call that did it, as in every log"),
});
export type Activity = z.infer<typeof Activity>;
