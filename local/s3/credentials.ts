// What the object store must know of whoever signs a request; the STS next door is one source of it.
import type { PolicyDocument } from "#local/sts/policy.ts";

export interface Credential {
  readonly secretAccessKey: string;
  /** A temporary credential: requests must carry exactly this token. */
  readonly sessionToken?: string;
  readonly expiresAt?: Date;
  /** Bounds what the credential may do; without one it may do everything. */
  readonly policy?: PolicyDocument;
}

export interface CredentialSource {
  find(accessKeyId: string): Credential | undefined | Promise<Credential | undefined>;
}

/** Credentials that never change, by access key id. */
export function staticCredentials(byAccessKeyId: Readonly<Record<string, Credential>>): CredentialSource {
  const known = new Map(Object.entries(byAccessKeyId));
  return { find: (accessKeyId) => known.get(accessKeyId) };
}
