// Where a comparison goes on that had no time for the rest: in which storage, and behind which site's prefix. The Master's
// own bucket comes first and has no name here; the others follow in the order of their ids.

export interface StoragePlace {
  /** undefined: the Master's own bucket. */
  readonly providerId: string | undefined;
  /** The last prefix that was done there; undefined: from the beginning. */
  readonly prefix: string | undefined;
}

/** `{node}/{site}/`, and before it `{provider}:` for storages beside the Master's own. */
export function writeCursor({ providerId, prefix = "" }: StoragePlace): string {
  return providerId === undefined ? prefix : `${providerId}:${prefix}`;
}

export function readCursor(cursor: string | undefined): StoragePlace {
  const [prefix = "", providerId] = (cursor ?? "").split(":").toReversed();
  return { providerId, prefix: prefix === "" ? undefined : prefix };
}

/** What is left of `providerIds`, in order; one that was removed meanwhile is passed over. */
export function storagesFrom(
  providerIds: readonly string[],
  { providerId, prefix }: StoragePlace,
): StoragePlace[] {
  const all = [undefined, ...providerIds.toSorted()];
  return all
    .filter((id) => (id ?? "") >= (providerId ?? ""))
    .map((id) => ({ providerId: id, prefix: id === providerId ? prefix : undefined }));
}
