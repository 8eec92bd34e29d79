// What still needs a storage provider: sites that back up to it, archives that lie there, and archives that are yet to be
// removed from there.
import { BackupError } from "#shared/errors.ts";
import type { Deps } from "../deps.ts";
import type { StorageChoice } from "../stores/provider-records.ts";

const DELETED_READ = 100;
const NAMED_SITES = 5;

/** What may be forgotten with it. @throws BackupError `provider_in_use`, with what uses it. */
export async function checkUnused(id: string, deps: Deps<"records">): Promise<StorageChoice[]> {
  const { providers, sites, backups, deletedBackups } = deps.records;
  const choices = await providers.choices(id);
  const users: { id: string; name: string }[] = [];
  let archives = 0;
  for (const { site_id: siteId, node_id } of choices) {
    const site = await sites.get(siteId);
    if (site?.life === "live" && site.storage_provider_id === id) users.push({ id: siteId, name: site.name });
    archives += await backups.countAt(id, { id: siteId, node_id });
  }
  const left = (await deletedBackups.withObject(DELETED_READ)).filter(
    ({ backup }) => backup.provider_id === id,
  ).length;
  if (users.length === 0 && archives === 0 && left === 0) return choices;
  const more = users.length > NAMED_SITES ? ` and ${users.length - NAMED_SITES} more` : "";
  const named = users.slice(0, NAMED_SITES).map(({ name }) => name);
  const parts = [
    ...(users.length === 0 ? [] : [`${count(users.length, "site")} (${named.join(", ")}${more})`]),
    ...(archives === 0 ? [] : [count(archives, "backup")]),
    ...(left === 0 ? [] : [`${count(left, "deleted backup")} whose archive is still there`]),
  ];
  throw new BackupError("provider_in_use", {
    detail: `It is used by ${parts.join(", ")}.`,
    data: { sites: users.slice(0, DELETED_READ), backups: archives },
  });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
