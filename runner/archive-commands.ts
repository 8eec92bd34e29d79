// The commands that read archives: list, files, verify, restore. Thin: each finds its archive, tells the story and shows
// how it ended.
import type { Command } from "commander";
import { RestorePart, type VerificationReport } from "#shared/contracts/restores.ts";
import manifest from "../package.json" with { type: "json" };
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
import type { FoundArchive } from "./find-archive.ts";
import type { BackupsDeps } from "./find-backup.ts";
import type { Log } from "./io/log.ts";
import type { Selection } from "./plan/restore/select-entries.ts";
import type { BootWish } from "./prove.ts";
import type { SiteCommand, SiteCommandDeps } from "./restore-site.ts";
import { stopOnSignals } from "./stop-signals.ts";

interface ArchiveOptions extends CommonOptions {
  readonly site?: string;
  readonly json?: boolean;
}

interface VerifyOptions extends ArchiveOptions {
  readonly deep?: boolean;
  readonly boot?: boolean;
}

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

const NAMES_HELP = `
BACKUP is an id or its beginning (backupd list), \`latest\`, or the path of an archive (shop_20261122_030000.tar.zst).`;

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

const VERIFY_HELP = `${NAMES_HELP}

Reads the whole archive back: every frame's hash, every file against the index, the dump's hash and its last line.
Exit code 1 and the findings if anything is wrong.

--deep is the proof: everything is extracted into the state directory's spool, the dump imported into a throw-away
MariaDB (no network, removed afterwards), dumped again and compared, rows counted, the time taken. Needs MariaDB's
server program, and free space for the files and four times the dump. The site and its database are not touched.

--boot also runs the restored WordPress, with that database, and wants an HTTP 200 for its front page. The site's code
runs then: as a user of its own, without network, seeing nothing of this machine but its programs. Needs root, PHP with
mysqli, and bubblewrap; without them it says so, and the proof is one without.`;

interface Session {
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** `changesSite`: what it has begun to change it is allowed to put back. */
function begin(options: ArchiveOptions, edge: Edge, { changesSite = false } = {}): Session {
  const log = logOf(settingsOf(options, edge), options.json === true ? "json" : "pretty", edge);
  return { log, signal: stopOnSignals(() => log, { isCutShort: !changesSite }) };
}

interface NodeDeps extends BackupsDeps {
  readonly siteEnvFile: (siteId: string) => string;
}

async function backupsDeps(options: ArchiveOptions, edge: Edge, { log, signal }: Session): Promise<NodeDeps> {
  const { composeControl } = await import("./compose-control.ts");
  const { version } = manifest;
  const control = await composeControl({ settings: settingsOf(options, edge), log, version, stop: signal });
  const siteEnvFile = (siteId: string): string => control.state.siteEnvFile(siteId);
  return { master: control.master, source: control.source, signal, siteEnvFile };
}

/** Files need no identity, no Master and no configuration. */
async function open(
  name: string,
  options: ArchiveOptions,
  edge: Edge,
  session: Session,
): Promise<FoundArchive> {
  const { isPath, openBackup, openFileArchive } = await import("./find-archive.ts");
  if (isPath(name)) return await openFileArchive(name, session.signal);
  return await openBackup(name, options.site, await backupsDeps(options, edge, session));
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
  await using found = await open(name, options, edge, session);
  const { listFiles } = await import("./list-files.ts");
  const rows = await listFiles(found.archive, prefix, options.all === true, session.signal);
  const { formatListed } = await import("./plan/restore/list-entries.ts");
  const { printable } = await import("./io/terminal.ts");
  for (const row of rows) {
    process.stdout.write(`${options.json === true ? JSON.stringify(row) : printable(formatListed(row))}\n`);
  }
  return EXIT.ok;
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
  const find = (): Promise<FoundArchive> => open(named?.id ?? name, options, edge, session);
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
  await using found = await open(name, options, edge, session);
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
  await using found = await open(name, options, edge, session);
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

/** `finish` is given each command's exit code. */
export function addArchiveCommands(program: Command, edge: Edge, finish: (code: number) => void): void {
  const withArchive = (command: Command): Command =>
    withCommon(command)
      .option("--site <id>", "id or name of the site")
      .option("--json", "for machines, one JSON object per line");

  withArchive(program.command("list"))
    .description("this node's backups, newest first")
    .action(async (options: ArchiveOptions) => finish(await doList(options, edge)));

  withArchive(program.command("files"))
    .description("what is in a backup, one directory at a time")
    .argument("<backup>", "id, beginning of it, `latest`, or the path of an archive")
    .argument("[prefix]", "a directory in it, for instance wp-content/uploads", "")
    .option("--all", "everything below it")
    .addHelpText("after", NAMES_HELP)
    .action(async (backup: string, prefix: string, options: ArchiveOptions) =>
      finish(await doFiles(backup, prefix, options, edge)),
    );

  withArchive(program.command("verify"))
    .description("read a backup back and check everything in it")
    .argument("<backup>", "id, beginning of it, `latest`, or the path of an archive")
    .option("--deep", "prove it: restore it into a throw-away server and compare")
    .option("--boot", "with --deep: run the restored WordPress in a cage and ask for its front page")
    .addHelpText("after", VERIFY_HELP)
    .action(async (backup: string, options: VerifyOptions) => finish(await doVerify(backup, options, edge)));

  withArchive(program.command("restore"))
    .description("bring back a site, or a part of it, from a backup")
    .argument("[backup]", "id, beginning of it, `latest`, or the path of an archive")
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
