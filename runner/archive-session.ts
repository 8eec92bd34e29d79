// What the commands that read archives have in common: their options, and how they find their archive.
import type { Command } from "commander";
import manifest from "../package.json" with { type: "json" };
import { type CommonOptions, type Edge, logOf, settingsOf, withCommon } from "./command-line.ts";
import type { FoundArchive } from "./find-archive.ts";
import type { BackupsDeps } from "./find-backup.ts";
import type { Log } from "./io/log.ts";
import { stopOnSignals } from "./stop-signals.ts";

export interface ArchiveOptions extends CommonOptions {
  readonly site?: string;
  readonly json?: boolean;
}

/** How a command ends: with its exit code. */
export type Finish = (code: number) => void;

export const NAMES_HELP = `
BACKUP is an id or its beginning (backupd list), \`latest\`, or the path of an archive (shop_20261122_030000.tar.zst).`;
export const BACKUP_ARGUMENT = "id, beginning of it, `latest`, or the path of an archive";

export function withArchive(command: Command): Command {
  return withCommon(command)
    .option("--site <id>", "id or name of the site")
    .option("--json", "for machines, one JSON object per line");
}

export interface Session {
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** `changesSite`: what it has begun to change it is allowed to put back. */
export function begin(options: ArchiveOptions, edge: Edge, { changesSite = false } = {}): Session {
  const log = logOf(settingsOf(options, edge), options.json === true ? "json" : "pretty", edge);
  return { log, signal: stopOnSignals(() => log, { isCutShort: !changesSite }) };
}

export interface NodeDeps extends BackupsDeps {
  readonly siteEnvFile: (siteId: string) => string;
}

export async function backupsDeps(
  options: ArchiveOptions,
  edge: Edge,
  { log, signal }: Session,
): Promise<NodeDeps> {
  const { composeControl } = await import("./compose-control.ts");
  const { version } = manifest;
  const control = await composeControl({ settings: settingsOf(options, edge), log, version, stop: signal });
  const siteEnvFile = (siteId: string): string => control.state.siteEnvFile(siteId);
  return { master: control.master, source: control.source, signal, siteEnvFile };
}

/** Files need no identity, no Master and no configuration. */
export async function openArchive(
  name: string,
  options: ArchiveOptions,
  edge: Edge,
  session: Session,
): Promise<FoundArchive> {
  const { isPath, openBackup, openFileArchive } = await import("./find-archive.ts");
  if (isPath(name)) return await openFileArchive(name, session.signal);
  return await openBackup(name, options.site, await backupsDeps(options, edge, session));
}
