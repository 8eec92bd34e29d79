// A proof on the command line: in a spool of its own, as a job has one. It needs no identity and no Master.
import { randomUUID } from "node:crypto";
import type { FoundArchive } from "./find-archive.ts";
import { openStateDir } from "./io/state-dir.ts";
import { type ProveDeps, prove } from "./prove.ts";
import type { VerifiedBackup, VerifyDeps } from "./verify.ts";

/** @throws BackupError what `prove` throws, and `state_dir_unusable`; the signal's reason. */
export async function proveHere(
  find: () => Promise<FoundArchive>,
  stateDir: string,
  deps: VerifyDeps & Pick<ProveDeps, "boot">,
): Promise<VerifiedBackup> {
  const state = await openStateDir(stateDir);
  // Nobody else may come by soon: proofs that were killed must not fill the disk.
  for (const { jobId, isAlive } of await state.listSpools()) if (!isAlive) await state.removeSpool(jobId);
  const spool = await state.openSpool(randomUUID());
  try {
    return await prove(find, { ...deps, scratchDir: spool.dir, enter: () => undefined });
  } finally {
    await spool.remove();
  }
}
