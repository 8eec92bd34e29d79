// The secrets of storage providers: age files that only the Master's identity opens. The identity is a SecureString of
// SSM, so whoever reads the table, or a copy of it, has nothing, and what can be decrypted follows from a function's role.
import { BackupError } from "#shared/errors.ts";

export interface ProviderSecrets {
  /** An armoured age file. The provider's id goes into it: it opens for no other. */
  seal(providerId: string, secret: string): Promise<string>;
  /** @throws BackupError `storage_secret_unreadable`. */
  open(providerId: string, sealed: string): Promise<string>;
}

export interface SecretsSettings {
  readonly storageIdentityParameter: string | undefined;
}

export function openProviderSecrets({ storageIdentityParameter: name }: SecretsSettings): ProviderSecrets {
  // age and SSM are for few calls; no cold start is to pay for them.
  const load = (): Promise<typeof import("./sealed-secrets.ts")> => import("./sealed-secrets.ts");
  return {
    async seal(providerId, secret) {
      const { sealFor } = await load();
      return sealFor(name, { provider_id: providerId, secret });
    },
    async open(providerId, sealed) {
      const { openSealed } = await load();
      const opened = await openSealed(name, sealed);
      if (opened?.provider_id === providerId) return opened.secret;
      throw new BackupError("storage_secret_unreadable", {
        detail: `The secret of the storage provider ${providerId} cannot be opened with the Master's identity.`,
      });
    },
  };
}
