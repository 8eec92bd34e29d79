// What is in a site's database, by kind and name: what a restore compares a dump with.
import { BackupError } from "#shared/errors.ts";
import { DatabaseObject } from "../../plan/restore/restore-journal.ts";
import { askDatabase } from "../mysql-client.ts";
import type { SiteDatabase } from "../site.ts";

/** Names in hex: then no tab, line break or foreign character in one can be misread. */
const OBJECTS = `
SELECT CURRENT_USER();
SELECT IF(table_type LIKE '%VIEW', 'view', 'table'), HEX(CONVERT(table_name USING utf8mb4)) FROM information_schema.tables
  WHERE table_schema = DATABASE();
SELECT LOWER(routine_type), HEX(CONVERT(routine_name USING utf8mb4)) FROM information_schema.routines
  WHERE routine_schema = DATABASE() AND routine_type IN ('PROCEDURE', 'FUNCTION');
SELECT 'event', HEX(CONVERT(event_name USING utf8mb4)) FROM information_schema.events
  WHERE event_schema = DATABASE();
`;

export interface DatabaseState {
  /** The account that the login came out as: name@host. */
  readonly currentUser: string;
  readonly objects: readonly DatabaseObject[];
}

/** @throws BackupError `db_*`. */
export async function readDatabaseState(db: SiteDatabase, signal: AbortSignal): Promise<DatabaseState> {
  const [currentUser, ...rows] = (await askDatabase(db, OBJECTS, signal)).trimEnd().split("\n");
  if (currentUser === undefined) throw new BackupError("unexpected", { detail: "The server said nothing" });
  const objects = rows.map((row) => {
    const [kind, name = ""] = row.split("\t");
    return DatabaseObject.parse({ kind, name: Buffer.from(name, "hex").toString("utf8") });
  });
  return { currentUser, objects };
}
