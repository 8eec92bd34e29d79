// May a claim go on writing where an earlier one of the same site was cut short? Its path was handed out before, and no
// backup has been made since: then the archive still gets a name of its own that sorts as the newest.
import { archiveFileName, archiveFileTime, parseObjectPath } from "#shared/object-key.ts";
import { RESUMABLE_MS } from "#shared/upload-life.ts";
import type { SiteRecord } from "./records.ts";

/** The instant in the path's name, if it may be used; otherwise the claim gets a new path. */
export function resumedPathTime(site: SiteRecord, path: string | undefined, now: Date): Date | undefined {
  const place = path === undefined ? undefined : parseObjectPath(path);
  if (place === undefined || place.nodeId !== site.node_id || place.siteId !== site.id) return undefined;
  const at = archiveFileTime(place.fileName);
  if (at === undefined || archiveFileName(site.name, at) !== place.fileName) return undefined;
  const instant = at.toISOString();
  const wasHandedOut = site.last_path_at !== undefined && instant <= site.last_path_at;
  const isNewest = instant > (site.last_backup_at ?? "");
  const isYoung = now.getTime() - at.getTime() <= RESUMABLE_MS;
  return wasHandedOut && isNewest && isYoung ? at : undefined;
}
