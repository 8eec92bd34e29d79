// A private MariaDB server: own data directory, own socket, loopback only; it never touches the system's instance.
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { endAbandonedProcess, startOwnProcess } from "../own-process.ts";
import { runProgram } from "../run-program.ts";
import { findProgram } from "./find-program.ts";
import { untilListening, withPort } from "./server-port.ts";

export interface MariadbOptions {
  /** Filled on first use. Its log and process record are kept beside it. */
  readonly dataDir: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface Mariadb extends AsyncDisposable {
  readonly port: number;
  readonly socketPath: string;
  readonly pid: number;
  readonly dataDir: string;
  /** The MariaDB account with all rights: this system user, by the socket only, without a password. */
  readonly adminUser: string;
  /** Runs SQL as that account; returns rows as tab-separated lines, without a heading. */
  exec(sql: string): Promise<string>;
  /** An orderly shutdown; also the right call when it has crashed. */
  close(): Promise<void>;
}

/** Small, since there may be one per test; the log files' size must stay the same for a data directory. */
const SERVER_OPTIONS = [
  "--skip-name-resolve",
  "--bind-address=127.0.0.1",
  "--innodb-log-file-size=16M",
  "--innodb-buffer-pool-size=64M",
  "--key-buffer-size=1M",
  "--aria-pagecache-buffer-size=8M",
  "--max-connections=50",
  "--max-allowed-packet=64M",
  "--character-set-server=utf8mb4",
  "--skip-log-bin",
  "--performance-schema=OFF",
];

export async function startMariadb(options: MariadbOptions): Promise<Mariadb> {
  const dataDir = resolve(options.dataDir);
  await endAbandonedProcess("MariaDB", recordFileOf(dataDir));
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await mkdir(tempDirOf(dataDir), { recursive: true, mode: 0o700 });
  if ((await readdir(dataDir)).length === 0) await installSystemTables(dataDir);
  return await withPort(options.port, (port) => startServer(dataDir, port));
}

const recordFileOf = (dataDir: string): string => `${dataDir}.process.json`;
/** A server that starts removes all temporary tables from this directory, also those of others: none shares /tmp. */
const tempDirOf = (dataDir: string): string => `${dataDir}.tmp`;
const logFileOf = (dataDir: string): string => `${dataDir}.log`;

async function installSystemTables(dataDir: string): Promise<void> {
  const install = await findProgram("mariadb-install-db");
  const { username } = userInfo();
  const args = [
    "--no-defaults",
    `--datadir=${dataDir}`,
    `--tmpdir=${tempDirOf(dataDir)}`,
    `--user=${username}`,
    "--auth-root-authentication-method=socket",
    `--auth-root-socket-user=${username}`,
    "--skip-test-db",
    ...SERVER_OPTIONS.filter(
      (option) => option.startsWith("--innodb-log") || option === "--skip-name-resolve",
    ),
  ];
  try {
    await runProgram(install, args);
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true }); // Half of it would look like a database next time.
    throw error;
  }
}

/** A socket's path may have 107 bytes at most (sun_path in unix(7)); a data directory lies deeper at times. */
async function chooseSocket(dataDir: string): Promise<string> {
  const beside = `${dataDir}.sock`;
  return Buffer.byteLength(beside) <= 100
    ? beside
    : join(await mkdtemp(join(tmpdir(), "backupd-db-")), "sock");
}

async function startServer(dataDir: string, port: number): Promise<Mariadb> {
  const adminUser = userInfo().username;
  const socketPath = await chooseSocket(dataDir);
  const server = await startOwnProcess({
    name: "MariaDB",
    command: await findProgram("mariadbd"),
    args: [
      "--no-defaults",
      `--datadir=${dataDir}`,
      `--tmpdir=${tempDirOf(dataDir)}`,
      `--socket=${socketPath}`,
      "--pid-file=mariadbd.pid",
      `--port=${port}`,
      // MariaDB refuses to run as root unless told that this is meant.
      `--user=${adminUser}`,
      ...SERVER_OPTIONS,
    ],
    endSignal: "SIGTERM",
    logFile: logFileOf(dataDir),
    recordFile: recordFileOf(dataDir),
  });
  const close = async (): Promise<void> => {
    await server.end();
    if (socketPath !== `${dataDir}.sock`) await rm(dirname(socketPath), { recursive: true, force: true });
  };
  const client = await findProgram("mariadb");
  const exec = (sql: string): Promise<string> =>
    runProgram(
      client,
      [
        "--no-defaults",
        `--socket=${socketPath}`,
        `--user=${adminUser}`,
        "--default-character-set=utf8mb4",
        "--batch",
        "--skip-column-names",
      ],
      { input: sql },
    );
  try {
    await untilListening(server, { path: socketPath });
    await exec("SELECT 1");
  } catch (error) {
    await close();
    throw error;
  }
  return { port, socketPath, pid: server.pid, dataDir, adminUser, exec, close, [Symbol.asyncDispose]: close };
}
