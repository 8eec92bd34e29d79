// `backupd enroll`: makes the node's keys, shows the public halves to the Master with a one-time token, and
// writes the identity once the Master said yes.
import { access, rm } from "node:fs/promises";
import { BackupError } from "#shared/errors.ts";
import { writeFileAtomic } from "./io/atomic-file.ts";
import { generateNodeKeys, type Identity, writeIdentity } from "./io/identity.ts";
import type { MasterClient } from "./io/master-client.ts";
import { lockStateDir, type StateDir, stateError } from "./io/state-dir.ts";

export interface EnrollRequest {
  readonly masterUrl: string;
  readonly token: string;
  readonly name: string;
  /** Replaces an identity that is there already. */
  readonly force: boolean;
}

export interface EnrollDeps {
  readonly state: StateDir;
  /** Public: signs nothing. */
  readonly master: MasterClient;
  readonly now: () => Date;
  readonly version: string;
}

/** The token works once: find out that the disk is full or read-only before it is spent. */
async function proveWritable(state: StateDir): Promise<void> {
  const probe = `${state.identityFile}.probe`;
  try {
    await writeFileAtomic(probe, "x".repeat(4096));
    await rm(probe);
  } catch (error) {
    throw stateError(error, state.path);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Throws `conflict` if the node is enrolled already, `already_running`, and what the Master refuses. */
export async function enroll(request: EnrollRequest, deps: EnrollDeps): Promise<Identity> {
  const { state, master } = deps;
  using _lock = lockStateDir(state);
  if (!request.force && (await exists(state.identityFile))) {
    const hint =
      "Add --force to give this node a new identity; its sites and backups stay with the old node.";
    throw new BackupError("conflict", {
      detail: `this node is enrolled already: ${state.identityFile}`,
      hint,
    });
  }
  await proveWritable(state);
  const keys = await generateNodeKeys();
  const { node_id, audience } = await master.call("enrollNode", {
    body: {
      token: request.token,
      name: request.name,
      signing_key: keys.signingKey.x,
      age_recipient: keys.ageRecipient,
      version: deps.version,
    },
  });
  const identity: Identity = {
    v: 1,
    master_url: request.masterUrl,
    node_id,
    name: request.name,
    audience,
    enrolled_at: deps.now().toISOString(),
    signing_key: keys.signingKey,
    age_identity: keys.ageIdentity,
  };
  await writeIdentity(state, identity);
  return identity;
}
