// Whom restored files belong to where the backup's user ids mean somebody else: in another site, or on another node.
// Ids are numbers, and the number of one site's user may be that of a neighbour there, who must not get files in it. Pure.

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface OwnerMap {
  /** Whose the backed-up site was; undefined if the archive does not say before it is read. */
  readonly from?: Owner | undefined;
  /** Whose the site is that is restored into. */
  readonly to: Owner;
  /** Who has files in that site already, and so may have more; everybody else's become the owner's. */
  readonly knownUids: readonly number[];
  readonly knownGids: readonly number[];
}

export function mapOwner({ from, to, knownUids, knownGids }: OwnerMap, { uid, gid }: Owner): Owner {
  return {
    uid: uid !== from?.uid && knownUids.includes(uid) ? uid : to.uid,
    gid: gid !== from?.gid && knownGids.includes(gid) ? gid : to.gid,
  };
}
