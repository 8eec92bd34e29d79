// The commands that read archives: `restore --to`.
import type { Command } from "commander";
import { RestorePart } from "#shared/contracts/restores.ts";
import { systemClock } from "./clock.ts";
import {
  type CommonOptions,
  type Edge,
  EXIT,
  logOf,
  settingsOf,
  UsageError,
  withCommon,
} from "./command-line.ts";
import type { ExtractionFacts } from "./plan/restore/describe-extraction.ts";
import type { Selection } from "./plan/restore/select-entries.ts";
import { stopOnSignals } from "./stop-signals.ts";

interface RestoreOptions extends CommonOptions {
  readonly only?: string[];
  readonly path?: string[];
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const RESTORE_HELP = `
BACKUP is the path of an archive: shop.example.com_20261122_030000.tar.zst

Examples:
  backupd restore shop.tar.zst --to /root/shop                       everything
  backupd restore shop.tar.zst --to /root/db --only db               the database: /root/db/database.sql
  backupd restore shop.tar.zst --to /root/x --path wp-content/uploads/2026 --path wp-config.php`;

function selectionOf({ only, path }: RestoreOptions): Selection {
  const parsed = RestorePart.array().optional().safeParse(only);
  if (!parsed.success) throw new UsageError("--only takes db, files or config.");
  return { only: parsed.data, paths: path };
}

async function doRestore(file: string, options: RestoreOptions, edge: Edge): Promise<number> {
  const settings = settingsOf(options, edge);
  const selection = selectionOf(options);
  if (options.to === undefined) throw new UsageError("--to DIR is needed: a new or an empty directory.");
  const log = logOf(settings, options.json === true ? "json" : "pretty", edge);
  const signal = stopOnSignals(() => log);
  const [{ openFileArchive }, { restoreTo }, { showExtraction }] = await Promise.all([
    import("./find-archive.ts"),
    import("./restore-to.ts"),
    import("./show-extraction.ts"),
  ]);
  await using found = await openFileArchive(file, signal);
  const { archive } = found;
  using shown = showExtraction(edge.terminal, file);
  const dryRun = options.dryRun === true;
  const request = { archive, selection, to: options.to, dryRun };
  const done = await restoreTo(request, { signal, clock: systemClock, onProgress: shown.onProgress });
  shown[Symbol.dispose]();
  const traffic = archive.reader.traffic();
  const facts = {
    bytesRead: traffic.bytes,
    requests: traffic.requests,
    seconds: done.seconds,
    trust: found.trust,
  } satisfies Partial<ExtractionFacts>;
  const { say } = await import("./say-extraction.ts");
  say(
    { file, to: options.to, dryRun, extracted: done.extracted, facts, isJson: options.json === true },
    edge,
    log,
  );
  return EXIT.ok;
}

/** `finish` is given each command's exit code. */
export function addArchiveCommands(program: Command, edge: Edge, finish: (code: number) => void): void {
  withCommon(program.command("restore"))
    .description("bring back a site, or a part of it, from a backup")
    .argument("<backup>", "the backup")
    .option("--to <dir>", "extract into this new or empty directory")
    .option("--only <parts...>", "only these: db, files, config")
    .option("--path <paths...>", "only these files and directories, as named in the archive")
    .option("--dry-run", "say what would be restored, and change nothing")
    .option("--json", "one JSON event per line")
    .addHelpText("after", RESTORE_HELP)
    .action(async (backup: string, options: RestoreOptions) =>
      finish(await doRestore(backup, options, edge)),
    );
}
