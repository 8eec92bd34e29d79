// Replaces the content of a site's database by that of a dump, in two steps: first find out what it would do, then do
// it and look whether it was done.
import { BackupError } from "#shared/errors.ts";
import { type ImportPlan, planImport } from "../../plan/restore/import-plan.ts";
import type { DatabaseObject } from "../../plan/restore/restore-journal.ts";
import type { Site } from "../site.ts";
import { readDatabaseState } from "./database-objects.ts";
import { type DumpSource, importDump, scanDumpSource } from "./import-dump.ts";

export interface PreparedImport {
  readonly plan: ImportPlan;
  /** @throws BackupError `import_failed`, `db_*`; the signal's reason. The database is then anything. */
  load(options: { readonly signal: AbortSignal; readonly onBytes?: (total: number) => void }): Promise<void>;
}

type Target = Pick<Site, "db" | "tablePrefix">;

/** Changes nothing. @throws BackupError `dump_unusable`, `db_*`. */
export async function prepareImport(
  { db, tablePrefix }: Target,
  source: DumpSource,
  options: { readonly signal: AbortSignal; readonly alsoDrop?: readonly DatabaseObject[] },
): Promise<PreparedImport> {
  const dump = await scanDumpSource(source, options.signal);
  const { objects, currentUser } = await readDatabaseState(db, options.signal);
  const planned = planImport({ dump, existing: objects, tablePrefix });
  const plan = { ...planned, dropped: [...planned.dropped, ...(options.alsoDrop ?? [])] };
  return {
    plan,
    async load(loading) {
      await importDump(db, source, { plan, currentUser, ...loading });
      const after = await readDatabaseState(db, loading.signal);
      const there = new Set(after.objects.map(keyOf));
      const missing = plan.imported.filter((object) => !there.has(keyOf(object)));
      if (missing.length === 0) return;
      const names = missing.slice(0, 10).map(({ name }) => name);
      throw new BackupError("import_failed", { detail: `Not there after the import: ${names.join(", ")}` });
    },
  };
}

function keyOf({ kind, name }: DatabaseObject): string {
  // Servers on case-insensitive file systems store names in lower case.
  return `${kind} ${name.toLowerCase()}`;
}
