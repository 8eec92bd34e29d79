// All conditional writes of several records go through here: either every condition held and all are written, or
// nothing is and the caller reads again and decides again.
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { TransactWriteCommand, type TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import type { Table } from "./table.ts";

export type WriteItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

/** Wrap what ElectroDB's `.params()` gives for a put, an update or a delete. */
export const asPut = (params: object): WriteItem => ({ Put: params as NonNullable<WriteItem["Put"]> });
export const asUpdate = (params: object): WriteItem => ({
  Update: params as NonNullable<WriteItem["Update"]>,
});
export const asDelete = (params: object): WriteItem => ({
  Delete: params as NonNullable<WriteItem["Delete"]>,
});

const LOST_RACE = new Set(["None", "ConditionalCheckFailed", "TransactionConflict"]);

/** True when written; false when another writer was first. */
export async function transact(table: Table, items: readonly WriteItem[]): Promise<boolean> {
  try {
    await table.client.send(new TransactWriteCommand({ TransactItems: [...items] }));
    return true;
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code ?? "None");
    if (codes.length > 0 && codes.every((code) => LOST_RACE.has(code))) return false;
    throw error;
  }
}
