// Hands a database login to a client program without the password ever being on a command line, in an environment
// or in a file with a name: an option file, unlinked as soon as it is open, that the child inherits as fd 3.
import { randomUUID } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { optionFile } from "../plan/option-file.ts";
import type { SiteDatabase } from "./site.ts";

/** What the child is told; it opens its own descriptor anew, so the offset is not shared. */
export const DEFAULTS_FILE_OPTION = "--defaults-file=/dev/fd/3";

/** No HOME: MySQL would read ~/.mylogin.cnf in spite of --defaults-file. */
export const CLIENT_ENVIRONMENT: Readonly<Record<string, string>> = { PATH: "/usr/bin:/bin", LC_ALL: "C" };

export interface DbLogin extends Disposable {
  readonly fd: number;
}

export function openDbLogin(db: SiteDatabase): DbLogin {
  const { host, port, socketPath } = db.address;
  const text = optionFile({
    user: db.user,
    password: db.password,
    host: socketPath === undefined ? host : undefined,
    // PHP takes "localhost" for the socket, whatever the port says; so the site is there and nowhere else.
    port: socketPath === undefined && host !== undefined && host !== "localhost" ? port : undefined,
    socket: socketPath,
  });
  const fd = openUnnamed();
  try {
    writeSync(fd, text, 0);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Memory-backed where there is such a place, so that the password never reaches a disk. */
function openUnnamed(): number {
  const name = `backupd-${randomUUID()}`;
  const open = (directory: string): number => {
    const path = `${directory}/${name}`;
    const fd = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return fd;
  };
  try {
    return open("/dev/shm");
  } catch {
    return open(tmpdir());
  }
}
