// Serves a WordPress directory with PHP's own web server: enough for a demo and for tests, and nothing to install.
import { mkdir } from "node:fs/promises";
import { endAbandonedProcess, startOwnProcess } from "../own-process.ts";
import { findProgram } from "./find-program.ts";
import { untilListening, withPort } from "./server-port.ts";

export interface PhpServerOptions {
  readonly siteDir: string;
  /** 0: any free one. */
  readonly port: number;
  /** The log and the process record are kept here. */
  readonly runDir: string;
}

export interface PhpServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** More than one, because WordPress calls itself by HTTP at times and would wait for itself for ever. */
const WORKERS = 4;

/** Pretty permalinks need no router: a path without a file is given to the site's index.php by PHP itself. */
export async function servePhp({ siteDir, port, runDir }: PhpServerOptions): Promise<PhpServer> {
  const recordFile = `${runDir}/php.process.json`;
  await endAbandonedProcess("The web server", recordFile);
  await mkdir(siteDir, { recursive: true });
  const php = await findProgram("php");
  return await withPort(port, async (chosenPort) => {
    const server = await startOwnProcess({
      name: "The web server",
      command: php,
      args: [...PHP_SETTINGS, "-q", "-S", `127.0.0.1:${chosenPort}`, "-t", siteDir],
      env: { PHP_CLI_SERVER_WORKERS: String(WORKERS) },
      // PHP ends at once on SIGTERM and leaves its workers to init; on SIGINT it waits for them.
      endSignal: "SIGINT",
      logFile: `${runDir}/php.log`,
      recordFile,
    });
    try {
      await untilListening(server, { host: "127.0.0.1", port: chosenPort });
    } catch (error) {
      await server.end();
      throw error;
    }
    const close = (): Promise<void> => server.end();
    return { port: chosenPort, pid: server.pid, close, [Symbol.asyncDispose]: close };
  });
}

/** Also for PHP scripts run by hand: no mail leaves a demo, and a restored file is seen at once. */
export const PHP_SETTINGS: readonly string[] = [
  "-d",
  "sendmail_path=/bin/true",
  "-d",
  "opcache.revalidate_freq=0",
  "-d",
  "memory_limit=256M",
  "-d",
  "upload_max_filesize=64M",
  "-d",
  "post_max_size=64M",
];
