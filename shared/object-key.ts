// Names that both sides derive: a backup's file name and its key in the bucket. Keys are built from UUIDs and a
// checked site name only, because a session policy for `{node_uuid}/*` is a plain prefix match (no normalising).

/** A UTC instant as the `YYYYMMDD_HHMMSS` of archive names. */
function stamp(at: Date): string {
  const [date, time] = at.toISOString().split("T") as [string, string];
  return `${date.replaceAll("-", "")}_${time.slice(0, 8).replaceAll(":", "")}`;
}

/** `{site_name}_{YYYYMMDD}_{HHMMSS}.tar.zst`, the time in UTC. `siteName` has passed `SiteName`. */
export function archiveFileName(siteName: string, at: Date): string {
  return `${siteName}_${stamp(at)}.tar.zst`;
}

const STAMP = /_(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})\.tar\.zst$/;

/** The instant in a name made by `archiveFileName`; undefined for anything else. */
export function archiveFileTime(fileName: string): Date | undefined {
  const match = STAMP.exec(fileName);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** The site's name in a name made by `archiveFileName`. */
export function archiveSiteName(fileName: string): string {
  return fileName.replace(STAMP, "");
}

export interface ObjectPlace {
  readonly nodeId: string;
  readonly siteId: string;
  readonly fileName: string;
}

/** The object's path as records and reports carry it: `/{node_uuid}/{site_uuid}/{filename}`. */
export function objectPath(place: ObjectPlace): string {
  return `/${place.nodeId}/${place.siteId}/${place.fileName}`;
}

/** The S3 key of such a path: the same without the leading slash. */
export function objectKey(path: string): string {
  return path.startsWith("/") ? path.slice(1) : path;
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const PATH = new RegExp(`^/(${UUID})/(${UUID})/([A-Za-z0-9][A-Za-z0-9._-]*_\\d{8}_\\d{6}\\.tar\\.zst)$`);

/** The parts of a path made by `objectPath`, or undefined for anything else. */
export function parseObjectPath(path: string): ObjectPlace | undefined {
  const match = PATH.exec(path);
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined;
  return { nodeId: match[1], siteId: match[2], fileName: match[3] };
}
