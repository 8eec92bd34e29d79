// The storage and queue credentials: opened with the node's age key, kept in memory only, and replaced before
// they end, also in the middle of a long upload.
import { text } from "node:stream/consumers";
import { armor, Decrypter } from "age-encryption";
import { NodeCredentials, type StorageKeys } from "#shared/contracts/nodes.ts";
import { BackupError } from "#shared/errors.ts";
import { redacting } from "./redacting.ts";

/** As SDK clients want them. Printing one shows a placeholder. */
export interface StorageCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** By this node's clock. Absent for static keys. */
  readonly expiration?: Date;
}

/** Opened credentials with the time they are good for, by a clock that does not jump. */
export interface OpenedCredentials {
  /** Of the queue and the default storage. */
  readonly credentials: StorageCredentials;
  /** Of other storages, by their provider. */
  readonly providers: ReadonlyMap<string, StorageCredentials>;
  /** Fetch new ones from then on; Infinity for static keys. */
  readonly refreshAtMs: number;
}

export interface OpenedAt {
  readonly now: Date;
  readonly monotonicMs: number;
  /** The Master's clock when it sealed them. */
  readonly serverTime: string;
}

/** Before their end; the SDK asks for new ones 5 minutes before, and must then get them. */
const REFRESH_MARGIN_MS = 6 * 60_000;

/**
 * Opens `sealed` (armoured age) with the node's identity. Throws `credentials_undecryptable`. Their life is taken
 * from the Master's clock alone, so a node whose clock is off neither overstays nor refetches all the time.
 */
export async function openCredentials(
  sealed: string,
  ageIdentity: string,
  at: OpenedAt,
): Promise<OpenedCredentials> {
  const opened = NodeCredentials.safeParse(await decryptJson(sealed, ageIdentity));
  if (!opened.success) {
    // Without the issues: they would quote values.
    throw new BackupError("credentials_undecryptable", {
      detail: "the sealed credentials have another shape",
    });
  }
  const { providers = {}, ...own } = opened.data;
  const { credentials, refreshAtMs } = usable(own, at);
  const others = Object.entries(providers).map(([id, keys]) => [id, usable(keys, at)] as const);
  return {
    credentials,
    providers: new Map(others.map(([id, keys]) => [id, keys.credentials])),
    // All come together, so the first to end decides.
    refreshAtMs: Math.min(refreshAtMs, ...others.map(([, keys]) => keys.refreshAtMs)),
  };
}

function usable(keys: StorageKeys, at: OpenedAt): Omit<OpenedCredentials, "providers"> {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token, expires_at } = keys;
  const sessionToken = session_token === undefined ? {} : { sessionToken: session_token };
  const credentials = { accessKeyId, secretAccessKey, ...sessionToken };
  if (expires_at === undefined) {
    return { credentials: redacting(credentials), refreshAtMs: Number.POSITIVE_INFINITY };
  }
  const lifeMs = Math.max(0, Date.parse(expires_at) - Date.parse(at.serverTime));
  const expiration = new Date(at.now.getTime() + lifeMs);
  const marginMs = Math.min(REFRESH_MARGIN_MS, lifeMs / 2);
  return {
    credentials: redacting({ ...credentials, expiration }),
    refreshAtMs: at.monotonicMs + lifeMs - marginMs,
  };
}

async function decryptJson(sealed: string, ageIdentity: string): Promise<unknown> {
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(ageIdentity);
    // As a stream: else it takes the text from a `Response`, for which Node loads undici, 20 ms of a start.
    const plain = await decrypter.decrypt(
      new Blob([armor.decode(sealed) as Uint8Array<ArrayBuffer>]).stream(),
    );
    return JSON.parse(await text(plain));
  } catch (error) {
    // A JSON error would quote the plaintext, so it does not become the cause.
    const cause = error instanceof SyntaxError ? undefined : error;
    throw new BackupError("credentials_undecryptable", cause === undefined ? {} : { cause });
  }
}
