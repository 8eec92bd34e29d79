// `backupd status`: everything an operator asks first, in one look, also when the Master is away.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { formatBytes } from "#shared/units.ts";
import { type DiskSpace, diskSpace } from "./io/disk.ts";
import type { Identity } from "./io/identity.ts";
import { type LastResult, readLastResults } from "./io/last-results.ts";
import type { MasterClient } from "./io/master-client.ts";
import type { ConfigSource } from "./io/node-config.ts";
import type { Outbox } from "./io/outbox.ts";
import type { StateDir } from "./io/state-dir.ts";
import { type DescribedError, describeError } from "./plan/error-class.ts";

export interface Status {
  readonly version: string;
  readonly state_dir: string;
  readonly disk: DiskSpace;
  readonly node: { readonly id: string; readonly name: string; readonly enrolled_at: string };
  readonly master: {
    readonly url: string;
    readonly reachable: boolean;
    readonly clock_skew_seconds: number | null;
    readonly error?: DescribedError;
  };
  readonly queue: string | null;
  readonly sites: readonly { readonly id: string; readonly name: string; readonly state: string }[];
  readonly daemon_running: boolean;
  readonly running_jobs: readonly string[];
  readonly outbox_length: number;
  readonly last_results: readonly LastResult[];
  readonly dump_programs: readonly string[];
}

export interface StatusDeps {
  readonly version: string;
  readonly state: StateDir;
  readonly identity: Identity;
  readonly master: MasterClient;
  readonly source: ConfigSource;
  readonly outbox: Outbox;
}

const DUMP_PROGRAMS = ["mariadb-dump", "mysqldump"] as const;

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ["--version"], { timeout: 5_000 });
    return stdout.trim();
  } catch {
    // Not installed: that is what the list shows.
    return undefined;
  }
}

function isDaemonRunning(state: StateDir): boolean {
  using lock = state.tryLock();
  return lock === undefined;
}

export async function readStatus(deps: StatusDeps): Promise<Status> {
  const { state, identity, master, source } = deps;
  let error: DescribedError | undefined;
  const config = await source.refresh().catch((thrown: unknown) => {
    error = describeError(thrown);
    return undefined;
  });
  const skewMs = master.clockSkewMs();
  const versions = await Promise.all(DUMP_PROGRAMS.map(versionOf));
  return {
    version: deps.version,
    state_dir: state.path,
    disk: await diskSpace(state.path),
    node: { id: identity.node_id, name: identity.name, enrolled_at: identity.enrolled_at },
    master: {
      url: identity.master_url,
      reachable: error === undefined,
      clock_skew_seconds: skewMs === undefined ? null : Math.round(skewMs / 1000),
      ...(error === undefined ? {} : { error }),
    },
    queue: config?.queue.url ?? null,
    sites: (config?.sites ?? []).map(({ id, name, state: siteState }) => ({ id, name, state: siteState })),
    daemon_running: isDaemonRunning(state),
    running_jobs: (await state.listSpools()).filter(({ isAlive }) => isAlive).map(({ jobId }) => jobId),
    outbox_length: await deps.outbox.length(),
    last_results: await readLastResults(state.lastDir),
    dump_programs: versions.filter((line) => line !== undefined),
  };
}

function masterLine({ master }: Status): string {
  if (!master.reachable) return `${master.url}  DOES NOT ANSWER AS IT SHOULD`;
  return `${master.url}  reachable, clocks differ by ${Math.abs(master.clock_skew_seconds ?? 0)} s`;
}

function lastLine(last: LastResult): string {
  const size = last.size_bytes === undefined ? "" : `  ${formatBytes(last.size_bytes)}`;
  const why = last.error === undefined ? (last.reason ?? "") : `${last.error.code}: ${last.error.message}`;
  return `  ${last.finished_at}  ${last.status.padEnd(9)}  ${last.site_name}${size}  ${why}`.trimEnd();
}

/** The same for a person. */
export function formatStatus(status: Status): string {
  const { node, disk, master } = status;
  const daemon = status.daemon_running ? "running" : "NOT RUNNING (backupd run)";
  const lines = [
    `backupd      ${status.version}`,
    `node         ${node.name}  ${node.id}  enrolled ${node.enrolled_at}`,
    `state        ${status.state_dir}  ${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} free`,
    `daemon       ${daemon}`,
    `master       ${masterLine(status)}`,
    ...(master.error === undefined
      ? []
      : [
          `             ${master.error.message} (${master.error.code ?? "?"})`,
          `             → ${master.error.hint ?? ""}`,
        ]),
    `queue        ${status.queue ?? "unknown"}`,
    `running      ${status.running_jobs.join(", ") || "nothing"}`,
    `outbox       ${status.outbox_length === 0 ? "empty" : `${status.outbox_length} waiting for the Master`}`,
    `dumps with   ${status.dump_programs.join("; ") || "NO DUMP PROGRAM (apt-get install mariadb-client)"}`,
    `sites        ${status.sites.map(({ name, state }) => (state === "active" ? name : `${name} (${state})`)).join(", ") || "none known"}`,
    "last results",
    ...(status.last_results.length === 0 ? ["  none yet"] : status.last_results.map(lastLine)),
  ];
  return lines.join("\n");
}
