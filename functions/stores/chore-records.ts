// What the last run of each chore reported, and where it has to go on.
import { CustomAttributeType, Entity } from "electrodb";
import type { DriftReport, StorageReport } from "#shared/contracts/upkeep.ts";
import { key, type Table } from "./table.ts";

export interface ChoreReports {
  readonly reconcile: StorageReport;
  readonly drift: DriftReport;
}
export type ChoreName = keyof ChoreReports;

function choreEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "chore", version: "1", service: "backupd" },
      attributes: {
        name: { type: "string", required: true },
        report: { type: CustomAttributeType<ChoreReports[ChoreName]>("any"), required: true },
      },
      indexes: { byName: { pk: key("pk", ["name"]), sk: key("sk", []) } },
    },
    { client: table.client, table: table.name },
  );
}

export interface ChoreRecords {
  last<N extends ChoreName>(name: N): Promise<ChoreReports[N] | undefined>;
  save<N extends ChoreName>(name: N, report: ChoreReports[N]): Promise<void>;
}

export function openChoreRecords(table: Table): ChoreRecords {
  const chores = choreEntity(table);
  return {
    async last<N extends ChoreName>(name: N) {
      const { data } = await chores.get({ name }).go({ consistent: true });
      return data === null ? undefined : (data.report as ChoreReports[N]);
    },
    async save(name, report) {
      await chores.put({ name, report }).go();
    },
  };
}
