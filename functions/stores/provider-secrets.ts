// The secrets of storage providers: age files that only the Master's identity opens. The identity is a SecureString of
// SSM, so whoever reads the table, or a copy of it, has nothing, and what can be decrypted follows from a function's role.
import { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
import { armor, Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import * as z from "zod";
import { BackupError } from "#shared/errors.ts";
import { awsClient } from "./aws-client.ts";

export interface ProviderSecrets {
  /** An armoured age file. The provider's id goes into it: it opens for no other. */
  seal(providerId: string, secret: string): Promise<string>;
  /** @throws BackupError `storage_secret_unreadable`. */
  open(providerId: string, sealed: string): Promise<string>;
}

export interface SecretsSettings {
  readonly storageIdentityParameter: string | undefined;
}

const Sealed = z.strictObject({ provider_id: z.string(), secret: z.string() });

export function openProviderSecrets({ storageIdentityParameter: name }: SecretsSettings): ProviderSecrets {
  return {
    async seal(providerId, secret) {
      const encrypter = new Encrypter();
      encrypter.addRecipient(await identityToRecipient(await readIdentity(name)));
      const text = JSON.stringify({ provider_id: providerId, secret } satisfies z.infer<typeof Sealed>);
      return armor.encode(await encrypter.encrypt(text));
    },
    async open(providerId, sealed) {
      const decrypter = new Decrypter();
      decrypter.addIdentity(await readIdentity(name));
      const opened = await decrypt(decrypter, sealed);
      if (opened?.provider_id === providerId) return opened.secret;
      throw new BackupError("storage_secret_unreadable", {
        detail: `The secret of the storage provider ${providerId} cannot be opened with the Master's identity.`,
      });
    },
  };
}

/** undefined instead of errors, which quote what they could not read. */
async function decrypt(decrypter: Decrypter, sealed: string): Promise<z.infer<typeof Sealed> | undefined> {
  try {
    return Sealed.parse(JSON.parse(await decrypter.decrypt(armor.decode(sealed), "text")));
  } catch {
    return undefined;
  }
}

async function readIdentity(name: string | undefined): Promise<string> {
  const missing = new BackupError("storage_identity_missing");
  if (name === undefined) throw missing;
  const client = awsClient(new SSMClient({}));
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    if (Parameter?.Value === undefined) throw missing;
    return Parameter.Value;
  } catch (error) {
    throw error instanceof ParameterNotFound ? missing : error;
  } finally {
    client.destroy();
  }
}
