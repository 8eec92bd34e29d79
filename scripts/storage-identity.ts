// The age identity that the secrets of storage providers are sealed to, as a SecureString of SSM. CloudFormation makes no
// SecureStrings, and whoever makes it must never make it again: everything sealed to the one before would be lost.
import { ParameterAlreadyExists, PutParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { generateX25519Identity } from "age-encryption";

/** False when it was there already. */
export async function ensureStorageIdentity(name: string, client: SSMClient): Promise<boolean> {
  try {
    await client.send(
      new PutParameterCommand({
        Name: name,
        Type: "SecureString",
        Value: await generateX25519Identity(),
        Overwrite: false,
        Description:
          "backupd: opens the secrets of storage providers. Without it they have to be typed in anew.",
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ParameterAlreadyExists) return false;
    throw error;
  }
}
