// What an operator calls a backup, made into one: an id, the beginning of one, or `latest`.
import type { Backup } from "#shared/contracts/backups.ts";
import type { NodeSite } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import type { MasterClient } from "./io/master-client.ts";
import type { ConfigSource } from "./io/node-config.ts";

export interface BackupsDeps {
  readonly master: MasterClient;
  readonly source: ConfigSource;
  readonly signal: AbortSignal;
}

const PAGE = 100;
const WHOLE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BEGINNING = /^[0-9a-f-]{4,36}$/;

/** Of the site with that id or name, or of all of this node's; newest first. */
export async function* eachBackup(
  site: string | undefined,
  deps: BackupsDeps,
): AsyncGenerator<Backup, void, undefined> {
  const siteId = site === undefined ? undefined : (await findSite(site, deps)).id;
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE, site_id: siteId, cursor };
    const page = await deps.master.call("listNodeBackups", { query, signal: deps.signal });
    yield* page.items;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** @throws BackupError `not_found`, with what there is. */
export async function findBackupId(
  name: string,
  site: string | undefined,
  deps: BackupsDeps,
): Promise<string> {
  if (name === "latest") return await latest(site, deps);
  if (WHOLE_ID.test(name)) return name;
  if (!BEGINNING.test(name)) {
    throw new BackupError("not_found", { detail: `There is no backup ${name}`, hint: NAMES });
  }
  const found: Backup[] = [];
  for await (const backup of eachBackup(site, deps)) if (backup.id.startsWith(name)) found.push(backup);
  const [only, another] = found;
  if (only === undefined)
    throw new BackupError("not_found", { detail: `There is no backup ${name}…`, hint: NAMES });
  if (another === undefined) return only.id;
  const all = found.map(({ id, site_name }) => `${id} (${site_name})`).join(", ");
  throw new BackupError("not_found", {
    detail: `Several backups begin with ${name}`,
    hint: `One of: ${all}`,
  });
}

const NAMES = "A backup is an id or its beginning (`backupd list`), `latest`, or the path of an archive.";

async function latest(site: string | undefined, deps: BackupsDeps): Promise<string> {
  if (site === undefined) {
    const { sites } = await deps.source.current();
    if (sites.length > 1) {
      const hint = `Name one with --site: ${sites.map((each) => each.name).join(", ")}`;
      throw new BackupError("not_found", { detail: "This node has several sites", hint });
    }
  }
  for await (const backup of eachBackup(site, deps)) return backup.id;
  throw new BackupError("not_found", {
    detail: site === undefined ? "This node has no backup yet" : `${site} has no backup yet`,
    hint: "Make one: `backupd run-once`.",
  });
}

async function findSite(wanted: string, { source }: BackupsDeps): Promise<NodeSite> {
  const { sites } = await source.current();
  const site = sites.find(({ id, name }) => id === wanted || name === wanted);
  if (site !== undefined) return site;
  const hint = `The sites of this node: ${sites.map(({ name }) => name).join(", ") || "none"}`;
  throw new BackupError("not_found", { detail: `This node has no site ${wanted}`, hint });
}
