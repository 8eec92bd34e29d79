// Who this node is: an Ed25519 key that signs each call and an age key that opens what the Master seals for it.
// Made here, written once enrolment succeeded, private parts never leave the machine.
import { readFile } from "node:fs/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { v4 } from "uuid";
import * as z from "zod";
import { BackupError } from "#shared/errors.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import { redacting } from "./redacting.ts";
import { checkPrivateFile, type StateDir, stateError } from "./state-dir.ts";

const SigningKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  d: z.string(),
});

const Identity = z.object({
  v: z.literal(1),
  master_url: z.url(),
  node_id: z.string(),
  name: z.string(),
  audience: z.string(),
  enrolled_at: z.string(),
  signing_key: SigningKey.transform((key) => redacting(key)),
  age_identity: z.string().startsWith("AGE-SECRET-KEY-1"),
});
export type Identity = z.infer<typeof Identity>;

export interface NodeKeys {
  readonly signingKey: z.infer<typeof SigningKey>;
  readonly ageIdentity: string;
  readonly ageRecipient: string;
}

export async function generateNodeKeys(): Promise<NodeKeys> {
  const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const signingKey = SigningKey.parse(await exportJWK(pair.privateKey));
  const ageIdentity = await generateX25519Identity();
  const ageRecipient = await identityToRecipient(ageIdentity);
  return redacting({ signingKey, ageIdentity, ageRecipient });
}

export async function writeIdentity(state: StateDir, identity: Identity): Promise<void> {
  const { signing_key: key, ...rest } = identity;
  // Spread out of its redacting wrapper: this file is the one place the private parts are written to.
  const text = JSON.stringify({ ...rest, signing_key: { ...key } }, null, 2);
  try {
    await writeFileAtomic(state.identityFile, `${text}\n`);
  } catch (error) {
    throw stateError(error, state.identityFile);
  }
}

/** Throws `not_enrolled` if there is none, `state_dir_unusable` if it is damaged or others may read it. */
export async function readIdentity(state: StateDir): Promise<Identity> {
  const path = state.identityFile;
  let text: string;
  try {
    text = await readFile(path, "utf8");
    await checkPrivateFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw stateError(error, path);
    throw new BackupError("not_enrolled", { detail: `there is no ${path}` });
  }
  const parsed = Identity.safeParse(parseJson(text));
  if (parsed.success) return redacting(parsed.data);
  const hint = "Restore it from where you keep copies, or enrol again with --force.";
  throw new BackupError("state_dir_unusable", { detail: `${path} is not an identity of backupd`, hint });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TOKEN_SECONDS = 60;

/** Makes a fresh bearer token for each call: a minute of life, one use in mind. */
export function tokenSigner(identity: Identity, now: () => Date): () => Promise<string> {
  const key = importJWK({ ...identity.signing_key }, "EdDSA");
  return async () => {
    const issuedAt = Math.floor(now().getTime() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: "EdDSA", typ: "JWT" })
      .setIssuer(identity.node_id)
      .setSubject(identity.node_id)
      .setAudience(identity.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + TOKEN_SECONDS)
      .setJti(v4())
      .sign(await key);
  };
}
