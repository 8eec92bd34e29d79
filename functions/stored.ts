// Takes the bucket's "Object Created" events off their queue, a quarter of an hour late: what is not on record by then has
// lost its report, and is recorded from its own index.
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import * as z from "zod";
import { type Deps, lazyDeps } from "./deps.ts";
import { adoptObject } from "./http/adopt-object.ts";
import { openObjectList } from "./stores/object-list.ts";
import { openOwnObjects } from "./stores/objects.ts";
import { openRecords } from "./stores/records.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

type StoredDeps = Deps<"records" | "objects" | "objectList">;

/** Of an EventBridge event of S3; its keys are as they are, not percent-encoded. */
const ObjectCreated = z.object({ detail: z.object({ object: z.object({ key: z.string().min(1) }) }) });

export const handler: Observed<SQSEvent, SQSBatchResponse> = chore(
  "stored",
  lazyDeps({ records: openRecords, objects: openOwnObjects, objectList: openObjectList }),
  async (event, deps) => {
    const failed: string[] = [];
    // One after the other: an index may be large.
    for (const record of event.Records) if (!(await isDone(record, deps))) failed.push(record.messageId);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  },
);

/** False if it has to be looked at again. */
async function isDone(record: SQSRecord, deps: StoredDeps): Promise<boolean> {
  const key = keyOf(record.body);
  if (key === undefined) {
    deps.log.error("no event of an object", { message_id: record.messageId });
    return true;
  }
  try {
    const object = await deps.objectList.find(key);
    if (object === undefined) return true;
    const verdict = await adoptObject(object, deps);
    if (verdict.kind === "adopted")
      deps.log.warn("backup recorded from its index", { key, backup_id: verdict.backup.id });
    else if (verdict.kind === "refused") deps.log.warn("object is no backup", { key, why: verdict.why });
    return verdict.kind !== "wait";
  } catch (error) {
    deps.log.error("object not looked at", { key, error: error as Error });
    return false;
  }
}

function keyOf(body: string): string | undefined {
  try {
    return ObjectCreated.safeParse(JSON.parse(body)).data?.detail.object.key;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
