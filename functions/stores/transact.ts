// All conditional writes of several records go through here: either every condition held and all are written, or
// nothing is and the caller reads again and decides again.
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { TransactWriteCommand, type TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { BackupError } from "#shared/errors.ts";
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

const ROUNDS = 8;

/** Runs `attempt` (read, decide, write) until its write is not beaten by another; undefined means beaten. */
export async function settleRace<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    // Losers of one round would collide again in step: a short random wait lets them queue up.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** round));
  }
  throw new BackupError("internal", { detail: "Too many changes to the same record at once; try again." });
}
