// `backupd verify`: reads a backup back, or proves it, and tells the Master.
import type { Command } from "commander";
import type { VerificationReport } from "#shared/contracts/restores.ts";
import {
  type ArchiveOptions,
  BACKUP_ARGUMENT,
  backupsDeps,
  begin,
  type Finish,
  NAMES_HELP,
  type NodeDeps,
  openArchive,
  type Session,
  withArchive,
} from "./archive-session.ts";
import { systemClock } from "./clock.ts";
import { type Edge, EXIT, settingsOf, UsageError } from "./command-line.ts";
import type { FoundArchive } from "./find-archive.ts";
import type { BootWish } from "./prove.ts";

interface VerifyOptions extends ArchiveOptions {
  readonly deep?: boolean;
  readonly boot?: boolean;
}

const VERIFY_HELP = `${NAMES_HELP}

Reads the whole archive back: every frame's hash, every file against the index, the dump's hash and its last line.
Exit code 1 and the findings if anything is wrong.

--deep is the proof: everything is extracted into the state directory's spool, the dump imported into a throw-away
MariaDB (no network, removed afterwards), dumped again and compared, rows counted, the time taken. Needs MariaDB's
server program, and free space for the files and four times the dump. The site and its database are not touched.

--boot also runs the restored WordPress, with that database, and wants an HTTP 200 for its front page. The site's code
runs then: as a user of its own, without network, seeing nothing of this machine but its programs. Needs root, PHP with
mysqli, and bubblewrap; without them it says so, and the proof is one without.`;

export function addVerifyCommand(program: Command, edge: Edge, finish: Finish): void {
  withArchive(program.command("verify"))
    .description("read a backup back and check everything in it")
    .argument("<backup>", BACKUP_ARGUMENT)
    .option("--deep", "prove it: restore it into a throw-away server and compare")
    .option("--boot", "with --deep: run the restored WordPress in a cage and ask for its front page")
    .addHelpText("after", VERIFY_HELP)
    .action(async (backup: string, options: VerifyOptions) => finish(await doVerify(backup, options, edge)));
}

interface NamedBackup {
  readonly id: string;
  readonly deps: NodeDeps;
}

/** Undefined for a file, which is on nobody's record. */
async function nameBackup(
  name: string,
  options: ArchiveOptions,
  edge: Edge,
  session: Session,
): Promise<NamedBackup | undefined> {
  const { isPath } = await import("./find-archive.ts");
  if (isPath(name)) return undefined;
  const deps = await backupsDeps(options, edge, session);
  const { findBackupId } = await import("./find-backup.ts");
  return { id: await findBackupId(name, options.site, deps), deps };
}

/** Where a backup's site lies on this node, for the WordPress in it. */
function liveSites(named: NamedBackup | undefined): BootWish["live"] {
  return async (siteId) => {
    if (named === undefined || siteId === undefined) return undefined;
    const { source, siteEnvFile } = named.deps;
    const site = (await source.current()).sites.find(({ id }) => id === siteId);
    return site === undefined ? undefined : { path: site.path, siteEnvFile: siteEnvFile(site.id) };
  };
}

/** What was found is right also if the Master does not hear of it. */
async function tellMaster(
  { id, deps }: NamedBackup,
  body: VerificationReport,
  { log }: Session,
): Promise<void> {
  try {
    await deps.master.call("reportVerification", { params: { id }, body, signal: deps.signal });
  } catch (error) {
    log.warn("verify.not_recorded", { backup_id: id, error });
  }
}

async function doVerify(name: string, options: VerifyOptions, edge: Edge): Promise<number> {
  if (options.boot === true && options.deep !== true) throw new UsageError("--boot needs --deep.");
  const session = begin(options, edge);
  const [{ showExtraction }, { sayVerified }] = await Promise.all([
    import("./show-extraction.ts"),
    import("./say-extraction.ts"),
  ]);
  using shown = showExtraction(edge.terminal, name);
  const deps = { signal: session.signal, clock: systemClock, onProgress: shown.onProgress };
  const named = await nameBackup(name, options, edge, session);
  const { verificationReport } = await import("./verify-result.ts");
  const find = (): Promise<FoundArchive> => openArchive(named?.id ?? name, options, edge, session);
  const isDeep = options.deep === true;
  const boot = options.boot === true ? { boot: { live: liveSites(named) } } : {};
  const verified = isDeep
    ? await (await import("./prove-here.ts")).proveHere(find, settingsOf(options, edge).stateDir, {
        ...deps,
        ...boot,
      })
    : await (await import("./verify.ts")).verify(find, deps);
  shown[Symbol.dispose]();
  sayVerified({ name, verified, isDeep, isJson: options.json === true }, edge, session.log);
  if (named !== undefined) await tellMaster(named, verificationReport(verified, isDeep), session);
  return verified.findings.length === 0 ? EXIT.ok : EXIT.failed;
}
