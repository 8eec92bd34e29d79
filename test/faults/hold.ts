// Moments in the middle of a backup that a test can stay in for as long as it likes: an S3 operation that is not
// answered yet, and a table that somebody else has locked while it is to be dumped.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { findProgram } from "#local/demo/find-program.ts";
import type { FaultRequest, S3Fault } from "#local/s3/faults.ts";
import type { OperationName } from "#local/s3/target.ts";
import type { Fleet } from "#test/helpers/fleet.ts";

const PATIENCE_MS = 30_000;

/** What another process does cannot be awaited, only seen: the value, once there is one. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await delay(20);
  }
}

export interface HeldOperation extends Disposable {
  /** Gives the request once it has come; it stays unanswered until `release`. */
  reached(): Promise<FaultRequest>;
  /** Lets it act, or meet that fault instead. */
  release(fault?: S3Fault): void;
}

/** Holds the next operation of that name, any or the one that `isMeant` says; others pass. */
export function holdS3(
  fleet: Fleet,
  operation: OperationName,
  isMeant: (key: string, request: FaultRequest) => boolean = () => true,
): HeldOperation {
  const released = Promise.withResolvers<S3Fault | undefined>();
  const former = fleet.s3Wire.fault;
  let held: FaultRequest | undefined;
  const hook: typeof former = (request) => {
    if (held !== undefined || request.operation !== operation || !isMeant(request.key, request))
      return former(request);
    held = request;
    return released.promise;
  };
  fleet.s3Wire.fault = hook;
  return {
    reached: () => until(operation, () => held),
    release: (fault) => released.resolve(fault),
    [Symbol.dispose]() {
      released.resolve("reset");
      if (fleet.s3Wire.fault === hook) fleet.s3Wire.fault = former;
    },
  };
}

export interface TableLock extends AsyncDisposable {
  /** Resolves when a dump stands before the locked table. */
  dumpWaits(): Promise<void>;
  release(): Promise<void>;
}

/** LOCK TABLES … WRITE in a session of its own: a dump gets that far and no further. */
export async function lockTable({ demo: { mariadb, db } }: Fleet, table: string): Promise<TableLock> {
  const args = ["--no-defaults", `--socket=${mariadb.socketPath}`, `--user=${mariadb.adminUser}`];
  const client = spawn(await findProgram("mariadb"), [...args, "--batch", "--unbuffered", db.name], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  client.stdin.write(`LOCK TABLES ${table} WRITE; SELECT 'locked';\n`);
  const closed = once(client, "close");
  await Promise.race([once(client.stdout, "data"), closed]);
  if (client.exitCode !== null) throw new Error(`${table} could not be locked`);
  const release = async (): Promise<void> => {
    client.stdin.end();
    await closed;
  };
  return {
    async dumpWaits() {
      const waiting = `SELECT count(*) FROM information_schema.processlist
        WHERE user = '${db.user}' AND state LIKE 'Waiting for table%lock'`;
      await until("the dump at the lock", async () => (await mariadb.exec(waiting)).trim() !== "0");
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}
