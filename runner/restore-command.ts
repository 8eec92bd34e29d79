// `backupd restore`: into the site, into a new directory, and back again.
import type { Command } from "commander";
import { RestorePart } from "#shared/contracts/restores.ts";
import manifest from "../package.json" with { type: "json" };
import {
  type ArchiveOptions,
  BACKUP_ARGUMENT,
  begin,
  type Finish,
  NAMES_HELP,
  openArchive,
  type Session,
  withArchive,
} from "./archive-session.ts";
import { systemClock } from "./clock.ts";
import { type Edge, EXIT, settingsOf, UsageError } from "./command-line.ts";
import type { Selection } from "./plan/restore/select-entries.ts";
import type { SiteCommand, SiteCommandDeps } from "./restore-site.ts";

interface RestoreOptions extends ArchiveOptions {
  readonly only?: string[];
  readonly path?: string[];
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly into?: string;
  readonly url?: string;
  readonly undo?: boolean;
  readonly yes?: boolean;
}

const RESTORE_HELP = `${NAMES_HELP}

Examples:
  backupd restore latest --site shop.example.com                     the live site, after asking
  backupd restore 3f2c --path wp-content/uploads/2026 --dry-run      what one path of it would do to the site
  backupd restore latest --site shop.example.com --into staging.example.com --url https://staging.example.com
  backupd restore --undo --site shop.example.com                     the site as before its last restore
  backupd restore latest --site shop.example.com --to /root/shop     everything, into a new directory
  backupd restore 3f2c --to /root/db --only db                       the database: /root/db/database.sql
  backupd restore 3f2c --to /root/x --path wp-content/uploads/2026 --path wp-config.php
  backupd restore ./shop_20261122_030000.tar.zst --to /root/shop     a downloaded archive; needs no Master

Without --to, the site itself becomes what the backup has: files by renames, the database after a safety dump. Tables
with the site's prefix that the backup does not have go. What is replaced is kept for --undo for 7 days, or until the
next restore of the site. Visitors see WordPress' maintenance page meanwhile.

--to takes a new or an empty directory; it appears when everything is in it. Run as root, so that owners come back.`;

export function addRestoreCommand(program: Command, edge: Edge, finish: Finish): void {
  withArchive(program.command("restore"))
    .description("bring back a site, or a part of it, from a backup")
    .argument("[backup]", BACKUP_ARGUMENT)
    .option("--to <dir>", "extract into this new or empty directory instead of into the site")
    .option("--into <site>", "restore into this site (id or name) instead of the one that was backed up")
    .option("--url <url>", "rewrite the site's address in its database to this one")
    .option("--undo", "put back what the site's last restore replaced")
    .option("--yes", "do not ask before the site is changed")
    .option("--only <parts>", "only these: db, files, config (db,files, or said again)", parts)
    .option("--path <path>", "only this file or directory, as named in the archive; may be said again", again)
    .option("--dry-run", "say what would be restored, and change nothing")
    .addHelpText("after", RESTORE_HELP)
    .action(async (backup: string | undefined, options: RestoreOptions) =>
      finish(await doRestore(backup, options, edge)),
    );
}

function selectionOf({ only, path }: RestoreOptions): Selection {
  const parsed = RestorePart.array().optional().safeParse(only);
  if (!parsed.success) throw new UsageError("--only takes db, files or config.");
  return { only: parsed.data, paths: path };
}

async function doRestore(name: string | undefined, options: RestoreOptions, edge: Edge): Promise<number> {
  if (options.undo === true) return await doUndo(name, options, edge);
  if (name === undefined) throw new UsageError("Which BACKUP? `backupd list` shows what there is.");
  return options.to === undefined
    ? await doRestoreSite(name, options, edge)
    : await doRestoreTo(name, options.to, options, edge);
}

async function siteDeps(options: RestoreOptions, edge: Edge, session: Session): Promise<SiteCommandDeps> {
  const { composeControl } = await import("./compose-control.ts");
  const settings = settingsOf(options, edge);
  const { log, signal } = session;
  const { state, source } = await composeControl({ settings, log, version: manifest.version, stop: signal });
  return { edge, ...session, state, source };
}

function siteCommandOf({ dryRun, yes, json }: RestoreOptions): SiteCommand {
  return { dryRun: dryRun === true, yes: yes === true, isJson: json === true };
}

async function doUndo(name: string | undefined, options: RestoreOptions, edge: Edge): Promise<number> {
  const { to, only, path, into, url } = options;
  if ([name, to, only, path, into, url].some((given) => given !== undefined)) {
    throw new UsageError("--undo takes --site only: it puts back all that the site's last restore replaced.");
  }
  const { undoSite } = await import("./restore-site.ts");
  const deps = await siteDeps(options, edge, begin(options, edge, { changesSite: true }));
  await undoSite(options.site, siteCommandOf(options), deps);
  return EXIT.ok;
}

async function doRestoreSite(name: string, options: RestoreOptions, edge: Edge): Promise<number> {
  const { only, paths } = selectionOf(options);
  const session = begin(options, edge, { changesSite: true });
  const { restoreSite } = await import("./restore-site.ts");
  await using found = await openArchive(name, options, edge, session);
  // A file does not say whose it is; --site does.
  const into = options.into ?? (found.record === undefined ? options.site : undefined);
  const command = { ...siteCommandOf(options), into, only, paths: paths ?? [], newUrl: options.url };
  await restoreSite(found, command, await siteDeps(options, edge, session));
  return EXIT.ok;
}

async function doRestoreTo(name: string, to: string, options: RestoreOptions, edge: Edge): Promise<number> {
  const selection = selectionOf(options);
  const session = begin(options, edge);
  const [{ restoreTo }, { showExtraction }, { sayRestored }] = await Promise.all([
    import("./restore-to.ts"),
    import("./show-extraction.ts"),
    import("./say-extraction.ts"),
  ]);
  await using found = await openArchive(name, options, edge, session);
  using shown = showExtraction(edge.terminal, found.label);
  const dryRun = options.dryRun === true;
  const restored = await restoreTo(
    { archive: found.archive, selection, to, dryRun },
    { signal: session.signal, clock: systemClock, onProgress: shown.onProgress },
  );
  shown[Symbol.dispose]();
  sayRestored({ found, to, dryRun, restored, isJson: options.json === true }, edge, session.log);
  return EXIT.ok;
}

/** Not variadic: such an option takes the BACKUP that follows it for one of its values. */
function again(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function parts(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(",").map((part) => part.trim())];
}
