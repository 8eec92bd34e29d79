// What every command of the command line shares: its common options, its edge to the process, and exit codes.
import type { Command } from "commander";
import { humanLog, jsonLog, type Log } from "./io/log.ts";
import type { Terminal } from "./io/terminal.ts";
import { parseSettings, type Settings } from "./settings.ts";

export const EXIT = { ok: 0, failed: 1, usage: 2, skipped: 3, setUp: 78 } as const;

export class UsageError extends Error {}

export interface CommonOptions {
  readonly stateDir?: string;
  readonly logFormat?: string;
  readonly logLevel?: string;
  readonly siteRoots?: string;
}

export interface Edge {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
}

/** @throws UsageError with all faults of options and environment. */
export function settingsOf(options: CommonOptions, { env }: Edge): Settings {
  const parsed = parseSettings(options, env);
  if (!parsed.ok) throw new UsageError(parsed.faults.join("\n"));
  return parsed.settings;
}

export function logOf(settings: Settings, fallback: "json" | "pretty", { terminal }: Edge): Log {
  const format = settings.logFormat ?? fallback;
  if (format === "json") return jsonLog(process.stdout, settings.logLevel);
  return humanLog(terminal, settings.logLevel, () => new Date());
}

export function withCommon(command: Command): Command {
  return command
    .option("--state-dir <dir>", "where backupd keeps its identity and its work (default: /var/lib/backupd)")
    .option("--log-format <format>", "json or pretty (default: pretty at a terminal)")
    .option("--log-level <level>", "debug, info, warn or error (default: info)");
}
