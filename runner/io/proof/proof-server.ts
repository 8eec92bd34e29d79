// A throw-away MariaDB that a backup's dump is imported into: no network, no events, no files but its own, ended and
// removed with its job. It may lose everything at any time, so it never waits for the disk.
import { open } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BackupError } from "#shared/errors.ts";
import { askDatabase } from "../mysql-client.ts";
import type { SiteDatabase } from "../site.ts";
import { type OwnedProcess, startOwned } from "./owned-process.ts";
import { findServerProgram, LOG_SIZE_OPTION, makeServerHome, type ServerHome } from "./server-home.ts";

export interface ProofServer extends AsyncDisposable {
  /** An empty database, and a login that may do everything in it and nothing elsewhere. */
  makeDatabase(name: string): Promise<SiteDatabase>;
  /** Where others than us find it, with rights to that place. */
  readonly socketFile: string;
}

const START_PATIENCE_MS = 120_000;
const LOOK_AGAIN_MS = 50;
const ACCOUNT = "backupd_proof";

const OPTIONS = [
  "--skip-networking",
  "--skip-name-resolve",
  "--skip-log-bin",
  "--event-scheduler=OFF",
  "--local-infile=OFF",
  "--performance-schema=OFF",
  "--character-set-server=utf8mb4",
  "--max-allowed-packet=1G",
  // A table that the site's server once took must not be too wide for this one.
  "--innodb-strict-mode=OFF",
  "--innodb-flush-log-at-trx-commit=0",
  "--innodb-doublewrite=OFF",
  "--innodb-use-native-aio=OFF",
  LOG_SIZE_OPTION,
];

/** `dir` does not exist, in the job's own directory. @throws BackupError `proof_*`; the signal's reason. */
export async function startProofServer(dir: string, signal: AbortSignal): Promise<ProofServer> {
  const program = await findServerProgram(signal);
  const home = await makeServerHome(dir, signal);
  await using starting = new AsyncDisposableStack();
  // Through the directory's descriptor, since a socket's path may have no more than 107 bytes (unix(7)).
  const data = starting.use(await open(home.dataDir));
  const place = process.platform === "linux" ? `/proc/${process.pid}/fd/${data.fd}` : home.dataDir;
  const socketPath = `${place}/sock`;
  const server = starting.use(
    await startOwned(program, serverArgs(home), { cwd: home.dataDir, logFile: home.logFile, signal }),
  );
  await untilListening(server, socketPath, signal);
  const started = starting.move();
  const login = { user: "root", password: "", address: { socketPath } };
  return {
    socketFile: join(home.dataDir, "sock"),
    async makeDatabase(name) {
      const db = { ...login, name, user: ACCOUNT };
      await askDatabase({ ...login, name: "mysql" }, makeStatements(name), signal);
      return db;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function serverArgs({ dir, dataDir, user }: ServerHome): string[] {
  const root = user === undefined ? dir : "";
  return [
    "--no-defaults",
    ...(user === undefined ? [] : [`--chroot=${dir}`, `--user=${user.name}`]),
    `--datadir=${user === undefined ? dataDir : "/data"}`,
    `--tmpdir=${root}/tmp`,
    `--secure-file-priv=${root}/tmp`,
    // Both in the data directory, which is where the server works.
    "--socket=sock",
    "--pid-file=pid",
    ...OPTIONS,
  ];
}

function makeStatements(name: string): string {
  const quoted = (text: string): string => `\`${text.replaceAll("`", "``")}\``;
  return `CREATE DATABASE ${quoted(name)} CHARACTER SET utf8mb4;
    CREATE USER ${ACCOUNT}@localhost;
    GRANT ALL PRIVILEGES ON ${quoted(name.replace(/[\\_%]/g, "\\$&"))}.* TO ${ACCOUNT}@localhost;`;
}

async function untilListening(server: OwnedProcess, socketPath: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + START_PATIENCE_MS;
  for (;;) {
    const end = await Promise.race([server.ended, canConnect(socketPath)]);
    signal.throwIfAborted();
    if (end === true) return;
    const isLate = performance.now() > deadlineMs;
    if (typeof end === "string" || isLate) {
      const how = typeof end === "string" ? `The server ended with ${end}` : "The server does not answer";
      throw new BackupError("proof_server_failed", { detail: `${how}: ${await server.lastWords()}` });
    }
    // It has no other way to say that it listens.
    await setTimeout(LOOK_AGAIN_MS);
  }
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
