// What a backup has to know of a site before it begins: where it is, and what its database is like. Changes nothing.
import { type DatabaseFacts, probeDatabase } from "./io/mysql-client.ts";
import { readSite, type Site } from "./io/site.ts";

export interface LookedAt {
  readonly site: Site;
  readonly facts: DatabaseFacts;
}

/** @throws BackupError `site_*`, `wp_config_*`, `db_*`, `dump_program_missing`; the signal's reason. */
export async function lookAtSite(
  place: Parameters<typeof readSite>[0],
  signal: AbortSignal,
): Promise<LookedAt> {
  const site = readSite(place);
  return { site, facts: await probeDatabase(site.db, { signal }) };
}
