// Sealing and opening with the Master's identity. Loaded when a secret is needed (provider-secrets.ts).
import { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
import { armor, Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import * as z from "zod";
import { BackupError } from "#shared/errors.ts";
import { awsClient } from "./aws-client.ts";

export const Sealed = z.strictObject({ provider_id: z.string(), secret: z.string() });
export type Sealed = z.infer<typeof Sealed>;

/** An armoured age file. */
export async function sealFor(parameter: string | undefined, what: Sealed): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(await readIdentity(parameter)));
  return armor.encode(await encrypter.encrypt(JSON.stringify(what)));
}

/** undefined for whatever this identity has not sealed: errors would quote what they could not read. */
export async function openSealed(parameter: string | undefined, sealed: string): Promise<Sealed | undefined> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(await readIdentity(parameter));
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
