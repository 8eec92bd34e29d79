// An object of the bucket as a listing shows it, and when it has been there long enough to be spoken of: before that, its
// own report may still be under way.

export interface StoredObject {
  readonly key: string;
  readonly size_bytes: number;
  /** As the storage writes it. */
  readonly etag: string;
  readonly modified_at: string;
}

const SETTLE_MS = 10 * 60_000;

export function isSettled({ modified_at: at }: Pick<StoredObject, "modified_at">, now: Date): boolean {
  return now.getTime() - Date.parse(at) >= SETTLE_MS;
}

/** Storages and clients write one ETag with and without its quotation marks. */
export function isSameEtag(one: string, other: string): boolean {
  return one.replaceAll('"', "") === other.replaceAll('"', "");
}
