// Whom a site's files belong to, for files that come from elsewhere: the owner, and who else has some of them, as the web
// server's user has of uploads.
import { readdirSync, statSync } from "node:fs";
import { type ByteString, toBytes } from "../../plan/byte-string.ts";
import type { Owner, OwnerMap } from "../../plan/restore/owner-map.ts";
import type { SiteTree } from "./site-tree.ts";

export interface OwnedPlaces {
  /** The directory that operators call the site. */
  readonly site: string;
  /** Neither need be there. */
  readonly config: ByteString | undefined;
  readonly content: ByteString | undefined;
}

/** `from`: whose the files were. */
export function targetOwners(tree: SiteTree, places: OwnedPlaces, from: Owner | undefined): OwnerMap {
  const { uid, gid } = statSync(places.site);
  const [config, content] = [places.config, places.content].map((path) =>
    path === undefined ? undefined : ownerOf(tree, path),
  );
  const below = places.content === undefined || content === undefined ? [] : childrenOf(tree, places.content);
  const known = [{ uid: 0, gid: 0 }, { uid, gid }, config, content, ...below].filter(
    (owner) => owner !== undefined,
  );
  return {
    from,
    to: content ?? config ?? { uid, gid },
    knownUids: [...new Set(known.map((owner) => owner.uid))],
    knownGids: [...new Set(known.map((owner) => owner.gid))],
  };
}

function childrenOf(tree: SiteTree, directory: ByteString): (Owner | undefined)[] {
  if (tree.kindOf(directory) !== "directory") return [];
  const names = readdirSync(toBytes(directory), { encoding: "latin1" });
  return names.map((name) => ownerOf(tree, `${directory}/${name}`));
}

function ownerOf(tree: SiteTree, path: ByteString): Owner | undefined {
  const stat = tree.statOf(path);
  return stat === undefined ? undefined : { uid: Number(stat.uid), gid: Number(stat.gid) };
}
