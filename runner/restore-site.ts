// `backupd restore BACKUP` without --to, and `restore --undo`: into the live site, after asking whether that is meant.
import { createInterface } from "node:readline/promises";
import type { RestorePart } from "#shared/contracts/restores.ts";
import type { NodeSite } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { archiveRestoreSource } from "./archive-restore-source.ts";
import { type Edge, UsageError } from "./command-line.ts";
import type { FoundArchive } from "./find-archive.ts";
import type { Log } from "./io/log.ts";
import type { ConfigSource } from "./io/node-config.ts";
import { openRestoreStore } from "./io/restore/restore-store.ts";
import { openSiteTree } from "./io/restore/site-tree.ts";
import type { StateDir } from "./io/state-dir.ts";
import { describeRestore, describeUndo } from "./plan/restore/describe-restore.ts";
import type { RestoreDeps } from "./restore-context.ts";
import { runRestore } from "./run-restore.ts";
import { runUndo } from "./run-undo.ts";
import { showExtraction } from "./show-extraction.ts";

export interface SiteCommandDeps {
  readonly edge: Edge;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly state: StateDir;
  readonly source: ConfigSource;
}

export interface SiteCommand {
  readonly dryRun: boolean;
  /** Do not ask. */
  readonly yes: boolean;
  readonly isJson: boolean;
}

export interface RestoreSiteCommand extends SiteCommand {
  /** Id or name of the site to restore into; that of the backup, if undefined. */
  readonly into: string | undefined;
  readonly only: readonly RestorePart[] | undefined;
  readonly paths: readonly string[];
  readonly newUrl: string | undefined;
}

export async function restoreSite(
  found: FoundArchive,
  command: RestoreSiteCommand,
  deps: SiteCommandDeps,
): Promise<void> {
  const { edge, log } = deps;
  const site = await findSite(command.into ?? found.record?.site_id, deps.source);
  if (!command.dryRun) {
    await confirm(`${site.name} (${site.path}) will be what ${found.label} has.`, site, command, edge);
  }
  using tree = openSiteTree();
  using shown = showExtraction(edge.terminal, found.label);
  const source = archiveRestoreSource(found);
  const { only, paths, newUrl, dryRun } = command;
  const restoreDeps: RestoreDeps = {
    ...(await revertDeps(deps)),
    tree,
    now: () => new Date(),
    log,
    enter: (stage) => log.debug("restore.stage", { stage }),
    onProgress: shown.onProgress,
  };
  const outcome = await runRestore({ site, only, paths, newUrl, dryRun }, source, restoreDeps);
  shown[Symbol.dispose]();
  if (command.isJson) {
    const { result, removedTables, leftTables, urlSkipped } = outcome;
    const tables = { removed_tables: removedTables, left_tables: leftTables, url_skipped: urlSkipped };
    log.info(dryRun ? "restore.planned" : "restore.done", { site: site.name, ...result, ...tables });
  } else {
    for (const line of describeRestore(outcome, site.name, found.label)) edge.terminal.line(line);
  }
}

export async function undoSite(
  wanted: string | undefined,
  command: SiteCommand,
  deps: SiteCommandDeps,
): Promise<void> {
  const { edge, log } = deps;
  const site = await findSite(wanted, deps.source);
  using tree = openSiteTree();
  using shown = showExtraction(edge.terminal, site.name);
  const { onProgress } = shown;
  const undoDeps = { ...(await revertDeps(deps)), tree, now: () => new Date(), log, onProgress };
  const plan = await runUndo({ siteId: site.id, dryRun: true }, undoDeps);
  if (!command.dryRun) {
    const what = `${site.name} (${site.path}) will be what it was before the restore of ${plan.restoredAt}.`;
    await confirm(what, site, command, edge);
    await runUndo({ siteId: site.id, dryRun: false }, undoDeps);
    shown[Symbol.dispose]();
  }
  if (command.isJson) {
    const { source, restoredAt, putsBackDatabase, paths } = plan;
    const facts = { source, restored_at: restoredAt, database: putsBackDatabase, paths };
    log.info(command.dryRun ? "undo.planned" : "undo.done", { site: site.name, ...facts });
  } else {
    for (const line of describeUndo(plan, site.name, command.dryRun)) edge.terminal.line(line);
  }
}

async function revertDeps({
  state,
  signal,
}: SiteCommandDeps): Promise<Pick<RestoreDeps, "store" | "siteEnvFile" | "signal">> {
  const store = await openRestoreStore(state.restoresDir);
  return { store, siteEnvFile: (id) => state.siteEnvFile(id), signal };
}

/** @throws BackupError `not_found`, with the sites there are. */
async function findSite(wanted: string | undefined, source: ConfigSource): Promise<NodeSite> {
  const { sites } = await source.current();
  const found =
    wanted === undefined && sites.length === 1
      ? sites[0]
      : sites.find(({ id, name }) => id === wanted || name === wanted);
  if (found !== undefined) return found;
  throw new BackupError("not_found", {
    detail: wanted === undefined ? "Which site is meant?" : `This node has no site ${wanted}`,
    hint: `Name one of this node's: ${sites.map(({ name }) => name).join(", ") || "it has none"}`,
  });
}

/** What a slip of the hand cannot type. @throws UsageError. */
async function confirm(
  what: string,
  site: NodeSite,
  { yes }: SiteCommand,
  { terminal }: Edge,
): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new UsageError(`${what} Say --yes if that is meant: nobody is here to ask.`);
  terminal.line(what);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`Type the site's name to go on: `);
    if (answer.trim() !== site.name) throw new UsageError("That is not its name; nothing was changed.");
  } finally {
    lines.close();
  }
}
