// `backupd list` and `backupd files`: what there is, and what is in it.
import type { Command } from "commander";
import {
  type ArchiveOptions,
  BACKUP_ARGUMENT,
  backupsDeps,
  begin,
  type Finish,
  NAMES_HELP,
  openArchive,
  withArchive,
} from "./archive-session.ts";
import { type Edge, EXIT } from "./command-line.ts";

export function addListCommands(program: Command, edge: Edge, finish: Finish): void {
  withArchive(program.command("list"))
    .description("this node's backups, newest first")
    .action(async (options: ArchiveOptions) => finish(await doList(options, edge)));

  withArchive(program.command("files"))
    .description("what is in a backup, one directory at a time")
    .argument("<backup>", BACKUP_ARGUMENT)
    .argument("[prefix]", "a directory in it, for instance wp-content/uploads", "")
    .option("--all", "everything below it")
    .addHelpText("after", NAMES_HELP)
    .action(async (backup: string, prefix: string, options: ArchiveOptions) =>
      finish(await doFiles(backup, prefix, options, edge)),
    );
}

async function doList(options: ArchiveOptions, edge: Edge): Promise<number> {
  const session = begin(options, edge);
  const [{ eachBackup }, { formatBackup }] = await Promise.all([
    import("./find-backup.ts"),
    import("./plan/restore/describe-backup.ts"),
  ]);
  let count = 0;
  for await (const backup of eachBackup(options.site, await backupsDeps(options, edge, session))) {
    count += 1;
    process.stdout.write(`${options.json === true ? JSON.stringify(backup) : formatBackup(backup)}\n`);
  }
  if (count === 0) edge.terminal.line("There is no backup yet.");
  return EXIT.ok;
}

async function doFiles(
  name: string,
  prefix: string,
  options: ArchiveOptions & { all?: boolean },
  edge: Edge,
): Promise<number> {
  const session = begin(options, edge);
  await using found = await openArchive(name, options, edge, session);
  const { listFiles } = await import("./list-files.ts");
  const rows = await listFiles(found.archive, prefix, options.all === true, session.signal);
  const { formatListed } = await import("./plan/restore/list-entries.ts");
  const { printable } = await import("./io/terminal.ts");
  for (const row of rows) {
    process.stdout.write(`${options.json === true ? JSON.stringify(row) : printable(formatListed(row))}\n`);
  }
  return EXIT.ok;
}
