// Restores into a live site on a real MariaDB: the backup's state comes, undo brings back the old one to the letter,
// and whatever fails or is killed in between leaves one of the two.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inheritedEnvironment } from "#local/own-process.ts";
import { runProgram } from "#local/run-program.ts";
import { archiveRestoreSource } from "#runner/archive-restore-source.ts";
import { openFileArchive } from "#runner/find-archive.ts";
import { refuseHalfRestored } from "#runner/half-restored.ts";
import { openSqlSession } from "#runner/io/restore/sql-session.ts";
import { readSite } from "#runner/io/site.ts";
import { runRestoreTimer } from "#runner/keep-restores.ts";
import { runRestore } from "#runner/run-restore.ts";
import { runUndo } from "#runner/run-undo.ts";
import { BackupError } from "#shared/errors.ts";
import { type ManualClock, manualClock } from "#test/fakes/manual-clock.ts";
import {
  type HeldDatabase,
  holdNamedLock,
  lockTable,
  untilWaitingForLock,
  untilWaitingForNamedLock,
} from "#test/faults/hanging-dump.ts";
import { until } from "#test/faults/hold.ts";
import { mountSmallDisk } from "#test/helpers/small-disk.ts";
import {
  directorySource,
  keeperOf,
  makeSiteRig,
  NEW_URL,
  recoverRestores,
  requestFor,
  restoreDeps,
  SITE_ID,
  type SiteRig,
} from "./site-rig.ts";

let rig: SiteRig;
let old: string;
let restored: string;
beforeAll(async () => {
  rig = await makeSiteRig();
  restored = await rig.state();
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rig.reset();
  old = await rig.state();
});

const source = (): ReturnType<typeof directorySource> => directorySource(rig.backupDir);

describe("a whole restore", () => {
  it("makes the site what it was then; undo makes it what it was before", async () => {
    const deps = await restoreDeps(rig.stateDir);
    const { result, removedTables } = await runRestore(requestFor(rig), source(), deps);
    expect(await rig.state()).toBe(restored);
    expect(removedTables).toEqual(["wp_later"]);
    expect(result).toMatchObject({ dry_run: false, tables: 4, undo_until: expect.any(String) });
    expect(result.kept_bytes).toBeGreaterThan(100);
    await runUndo({ siteId: SITE_ID, dryRun: true }, deps);
    expect(await rig.state()).toBe(restored);
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(old);
    expect(rig.leftovers()).toEqual([]);
    await expect(runUndo({ siteId: SITE_ID, dryRun: false }, deps)).rejects.toMatchObject({
      code: "nothing_to_undo",
    });
  });

  it("waits for requests that began before the maintenance page was up", async () => {
    const deps = await restoreDeps(rig.stateDir);
    const { db } = readSite({ path: rig.siteDir, siteEnvFile: deps.siteEnvFile(SITE_ID) });
    const request = openSqlSession(db, deps.signal);
    await request.rows("SELECT 1;");
    let isOpen = true;
    const enter = (stage: string): void => {
      if (stage === "import") expect(isOpen).toBe(false);
    };
    const restoring = runRestore(requestFor(rig), source(), { ...deps, enter });
    await until("the maintenance page", () => existsSync(join(rig.siteDir, ".maintenance")));
    isOpen = false;
    await request[Symbol.asyncDispose]();
    await restoring;
    expect(await rig.state()).toBe(restored);
  });

  it("keeps what the restore before it kept only until it has succeeded itself", async () => {
    const deps = await restoreDeps(rig.stateDir);
    await runRestore(requestFor(rig), source(), deps);
    const failing = { ...source(), extract: async () => Promise.reject(new BackupError("archive_corrupt")) };
    await expect(runRestore(requestFor(rig), failing, deps)).rejects.toMatchObject({
      code: "archive_corrupt",
    });
    expect(await deps.store.list()).toHaveLength(1);
    await runRestore(requestFor(rig), source(), deps);
    expect(await deps.store.list()).toHaveLength(1);
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(restored);
  });

  it("brings back a site of which only the directory is left", async () => {
    for (const name of ["wp-config.php", "wp-content"]) rmSync(join(rig.siteDir, name), { recursive: true });
    await rig.server.exec("DROP DATABASE shop; CREATE DATABASE shop");
    const ruin = await rig.state();
    const deps = await restoreDeps(rig.stateDir);
    await runRestore(requestFor(rig), source(), deps);
    expect(await rig.state()).toBe(restored);
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(ruin);
  });
});

describe("an archive that tar and zstd made, one frame without an index", () => {
  const deps = () => restoreDeps(rig.stateDir);
  const packed = async (...names: string[]): Promise<string> => {
    const file = join(rig.dir, `${names.join("-").replaceAll("/", "")}.tar.zst`);
    const command = 'out=$1 dir=$2; shift 2; tar -C "$dir" -cf - "$@" | zstd -q -f -o "$out"';
    await runProgram("bash", ["-c", command, "bash", file, rig.backupDir, ...names]);
    return file;
  };

  it("is restored in place, whole, after its size was taken; undo brings the old site back", async () => {
    await using found = await openFileArchive(await packed("."), new AbortController().signal);
    expect(found.archive.kind).toBe("plain");
    const theirs = archiveRestoreSource(found);
    const everything = { only: ["db", "files", "config"] as const, paths: [] };
    const measured = await theirs.measure(everything, { signal: new AbortController().signal });
    expect(measured.dbBytes).toBe(statSync(join(rig.backupDir, "database.sql")).size);
    expect(measured).toMatchObject({ files: 5, sample: expect.arrayContaining(["wp-config.php"]) });
    const { result } = await runRestore(requestFor(rig), theirs, await deps());
    expect(result).toMatchObject({ files: measured.files, files_bytes: measured.filesBytes });
    expect(await rig.state()).toBe(restored);
    await runUndo({ siteId: SITE_ID, dryRun: false }, await deps());
    expect(await rig.state()).toBe(old);
  });

  it("is refused before anything is changed if it has no wp-content, or only where we do not look", async () => {
    for (const names of [
      ["database.sql", "wp-config.php"],
      ["wp-content/uploads/2026/a.txt", "wp-config.php"],
    ]) {
      await using found = await openFileArchive(await packed(...names), new AbortController().signal);
      const only = names.includes("database.sql") ? undefined : (["files", "db"] as const);
      const restoring = runRestore(requestFor(rig, { only }), archiveRestoreSource(found), await deps());
      await expect(restoring).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:archive_path_unknown|dump_unusable)$/),
      });
      expect(await rig.state()).toBe(old);
      expect(rig.leftovers()).toEqual([]);
    }
  });
});

describe("a dry run", () => {
  it("says what would go, and changes nothing", async () => {
    const deps = await restoreDeps(rig.stateDir);
    const { result, removedTables } = await runRestore(requestFor(rig, { dryRun: true }), source(), deps);
    expect(removedTables).toEqual(["wp_later"]);
    expect(result).toMatchObject({ dry_run: true, files: 5, tables: 4, undo_until: null });
    expect(await rig.state()).toBe(old);
    expect(rig.leftovers()).toEqual([]);
  });
});

describe("part of a restore", () => {
  it("is the database alone", async () => {
    const deps = await restoreDeps(rig.stateDir);
    await runRestore(requestFor(rig, { only: ["db"] }), source(), deps);
    const files = (state: string): string => state.slice(0, state.indexOf("/*M!"));
    const now = await rig.state();
    expect(files(now)).toBe(files(old));
    expect(now.slice(files(now).length)).toBe(restored.slice(files(restored).length));
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(old);
  });

  it("is one path, with the rest untouched, also where the directories on the way are gone", async () => {
    const deps = await restoreDeps(rig.stateDir);
    const path = "wp-content/uploads/2026/a.txt";
    await runRestore(requestFor(rig, { paths: [path] }), source(), deps);
    expect(await rig.state()).toBe(old.replace(/(2026\/a\.txt 644 ).*/, "$1then, as the backup has it"));
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(old);

    rmSync(join(rig.siteDir, "wp-content/uploads/2026"), { recursive: true });
    const without = await rig.state();
    await runRestore(requestFor(rig, { paths: [path, "wp-content/uploads"] }), source(), deps);
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(without);
    await runRestore(requestFor(rig, { paths: [path] }), source(), deps);
    expect(readFileSync(join(rig.siteDir, path), "utf8")).toContain("then");
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(without);
  });

  it("leaves what the operator keeps out of backups where it is", async () => {
    const videos = join(rig.siteDir, "wp-content/deep/er/videos");
    mkdirSync(videos, { recursive: true });
    writeFileSync(join(videos, "film.mp4"), "the only copy");
    mkdirSync(join(rig.siteDir, "wp-content/cache"));
    const before = await rig.state();
    const deps = await restoreDeps(rig.stateDir);
    const request = requestFor(rig);
    const site = { ...request.site, exclude: ["deep/er/videos", "uploads"] };
    await runRestore({ ...request, site }, source(), deps);
    expect(readFileSync(join(videos, "film.mp4"), "utf8")).toBe("the only copy");
    expect(existsSync(join(rig.siteDir, "wp-content/cache"))).toBe(false);
    expect(readFileSync(join(rig.siteDir, "wp-content/uploads/2026/a.txt"), "utf8")).toContain("then");
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(before);
  });
});

describe("a restore with a new address", () => {
  it("rewrites it in the database; undo brings the old one back with everything else", async () => {
    const deps = await restoreDeps(rig.stateDir);
    const { result } = await runRestore(requestFor(rig, { newUrl: NEW_URL }), source(), deps);
    expect(result.url_change).toEqual({
      from: "http://then.example",
      to: NEW_URL,
      tables: 1,
      rows: 1,
      values: 1,
    });
    expect(await rig.state()).toBe(restored.replaceAll("http://then.example", NEW_URL));
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(old);
  });

  it("is counted by a dry run as by the change, also where the site has lost its wp-config.php", async () => {
    const deps = await restoreDeps(rig.stateDir);
    rmSync(join(rig.siteDir, "wp-config.php"));
    const before = await rig.state();
    const request = requestFor(rig, { newUrl: NEW_URL, dryRun: true });
    const { result } = await runRestore(request, source(), deps);
    expect(result.url_change).toEqual({
      from: "http://then.example",
      to: NEW_URL,
      tables: 1,
      rows: 1,
      values: 1,
    });
    expect(await rig.state()).toBe(before);
  });

  it("is refused before anything is changed if the address is none, or the database is not restored", async () => {
    const deps = await restoreDeps(rig.stateDir);
    for (const wrong of [{ newUrl: "new.example" }, { newUrl: NEW_URL, only: ["files"] as const }]) {
      await expect(runRestore(requestFor(rig, wrong), source(), deps)).rejects.toMatchObject({
        code: "invalid_request",
      });
    }
    expect(await rig.state()).toBe(old);
  });
});

describe("a restore that fails", () => {
  async function failsWith(
    code: string,
    spoil: () => Promise<void> | void,
    changes = {},
    request = {},
  ): Promise<void> {
    const backup = join(rig.dir, "spoiled");
    rmSync(backup, { recursive: true, force: true });
    const good = source();
    const spoiled = {
      ...good,
      extract: async (...args: Parameters<typeof good.extract>) => {
        const extracted = await good.extract(...args);
        if (extracted.dbPath !== undefined) dump = extracted.dbPath;
        await spoil();
        return extracted;
      },
    };
    const deps = { ...(await restoreDeps(rig.stateDir)), ...changes };
    await expect(runRestore(requestFor(rig, request), spoiled, deps)).rejects.toMatchObject({ code });
    expect(await rig.state()).toBe(old);
    expect(rig.leftovers()).toEqual([]);
  }
  let dump = "";
  const replaceInDump = (from: string | RegExp, to: string) => (): void =>
    writeFileSync(dump, readFileSync(dump, "latin1").replace(from, to), "latin1");

  it("in the middle of the import has put the old site back", async () => {
    await failsWith("import_failed", replaceInDump("CREATE TABLE `wp_posts`", "CREATE TABL `wp_posts`"));
  });

  it("because the dump was cut has not begun", async () => {
    await failsWith("dump_unusable", () =>
      writeFileSync(dump, "-- MariaDB dump 10\nCREATE TABLE `wp_options` (a INT);\n"),
    );
  });

  it("because the dump is another prefix' has not begun", async () => {
    await failsWith("dump_unusable", replaceInDump(/wp_options/g, "xy_options"));
  });

  it("while the address is changed has put the old site back", async () => {
    const request = { newUrl: NEW_URL };
    await failsWith("restore_failed", replaceInDump("'home'", "'hom_'"), {}, request);
  });

  it("because there is no room for the old database has not begun", async (test) => {
    const { store } = await restoreDeps(rig.stateDir);
    await using _disk = await mountSmallDisk(store.dir, "32m", test);
    const restoring = runRestore(requestFor(rig), source(), await restoreDeps(rig.stateDir));
    const missing = { code: "disk_full", message: expect.stringContaining(store.dir) };
    await expect(restoring).rejects.toMatchObject(missing);
    expect(await rig.state()).toBe(old);
    expect(rig.leftovers()).toEqual([]);
  });

  it("because it was cancelled in the middle of the import has put the old site back", async () => {
    const stop = new AbortController();
    await failsWith("cancelled", () => undefined, {
      signal: stop.signal,
      onProgress: () => stop.abort(new BackupError("cancelled")),
    });
  });
});

describe("an undo that is to stop", () => {
  it.each(["cancelled", "lease_lost"] as const)(
    "because it is %s, in the middle of the import, is brought to its end",
    async (code) => {
      const deps = await restoreDeps(rig.stateDir);
      await runRestore(requestFor(rig), source(), deps);
      const stop = new AbortController();
      let bytesDone = 0;
      const onProgress: NonNullable<typeof deps.onProgress> = (progress) => {
        ({ bytesDone } = progress);
        stop.abort(new BackupError(code));
      };
      await runUndo({ siteId: SITE_ID, dryRun: false }, { ...deps, signal: stop.signal, onProgress });
      expect([stop.signal.aborted, bytesDone > 0]).toEqual([true, true]);
      expect(await rig.state()).toBe(old);
      expect(rig.leftovers()).toEqual([]);
    },
  );

  it("because of a Ctrl-C before the site is touched has changed nothing", async () => {
    const code = "interrupted";
    const deps = await restoreDeps(rig.stateDir);
    await runRestore(requestFor(rig), source(), deps);
    const stop = new AbortController();
    const siteEnvFile = (id: string): string => {
      stop.abort(new BackupError(code));
      return deps.siteEnvFile(id);
    };
    const undo = runUndo({ siteId: SITE_ID, dryRun: false }, { ...deps, signal: stop.signal, siteEnvFile });
    await expect(undo).rejects.toMatchObject({ code });
    expect(await rig.state()).toBe(restored);
    expect(await deps.store.list()).toMatchObject([{ state: "done" }]);
    await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
    expect(await rig.state()).toBe(old);
  });

  it("because the database is away has changed nothing", async () => {
    const deps = await restoreDeps(rig.stateDir);
    await runRestore(requestFor(rig), source(), deps);
    {
      using _away = databaseAway();
      const undo = runUndo({ siteId: SITE_ID, dryRun: false }, deps);
      await expect(undo).rejects.toMatchObject({ code: "db_unreachable" });
    }
    expect(await deps.store.list()).toMatchObject([{ state: "done" }]);
    expect(await rig.state()).toBe(restored);
  });
});

describe("a daemon that runs on", () => {
  let stop: AbortController;
  let clock: ManualClock;
  let timer: Promise<unknown> | undefined;
  beforeEach(() => {
    stop = new AbortController();
    clock = manualClock(new Date().toISOString());
  });
  afterEach(async () => {
    stop.abort(new BackupError("interrupted"));
    await timer;
  });

  /** Resolves after the sweep that it begins with. */
  async function startTimer(): Promise<void> {
    const restores = await keeperOf(rig.stateDir, clock);
    timer = runRestoreTimer(stop.signal, { restores, clock }).catch(() => undefined);
    await clock.untilAsleep(1);
  }
  async function later(ms: number): Promise<void> {
    await clock.advance(ms);
    await clock.untilAsleep(1);
  }
  const DAY_MS = 86_400_000;

  it("throws away what is kept for undo after its time, and not before", async () => {
    const { store } = await restoreDeps(rig.stateDir);
    await startTimer();
    await runRestore(requestFor(rig), source(), await restoreDeps(rig.stateDir));
    await later(6.9 * DAY_MS);
    expect(await store.list()).toMatchObject([{ state: "done" }]);
    await later(0.2 * DAY_MS);
    expect(rig.leftovers()).toEqual([]);
    expect(await rig.state()).toBe(restored);
  });

  it("puts a site back once its database answers again, and lets nobody back up half of it", async () => {
    const deps = await restoreDeps(rig.stateDir);
    const cancel = new AbortController();
    let away: Disposable | undefined;
    const onProgress = (): void => {
      away ??= databaseAway();
      cancel.abort(new BackupError("cancelled"));
    };
    const restoring = runRestore(requestFor(rig), source(), { ...deps, signal: cancel.signal, onProgress });
    await expect(restoring).rejects.toMatchObject({ code: "restore_not_reverted" });
    await startTimer();
    expect(rig.leftovers()).toContain(".maintenance");
    const job = { restoresDir: deps.store.dir, site: requestFor(rig).site };
    await expect(refuseHalfRestored(job)).rejects.toMatchObject({ code: "restore_not_reverted" });

    away?.[Symbol.dispose]();
    await later(5_000);
    expect(await rig.state()).toBe(old);
    expect(rig.leftovers()).toEqual([]);
    await refuseHalfRestored(job);
  });

  it("keeps away from a site that a job or a command is at work on", async () => {
    const keeper = await keeperOf(rig.stateDir, clock);
    const good = source();
    const extracting = Promise.withResolvers<void>();
    const mayGoOn = Promise.withResolvers<void>();
    const slow: typeof good = {
      ...good,
      async extract(...args) {
        const extracted = await good.extract(...args);
        extracting.resolve();
        await mayGoOn.promise;
        return extracted;
      },
    };
    const restoring = runRestore(requestFor(rig), slow, await restoreDeps(rig.stateDir));
    await extracting.promise;
    expect(await keeper.sweep(stop.signal)).toBe(0);
    {
      using _held = await keeper.hold(SITE_ID, stop.signal);
      expect(await keeper.sweep(stop.signal)).toBe(0);
      mayGoOn.resolve();
      await restoring;
      // Held, it stays even when its time is over.
      await clock.advance(8 * DAY_MS);
      expect(await keeper.sweep(stop.signal)).toBe(0);
      expect(rig.leftovers()).not.toEqual([]);
    }
    expect(await rig.state()).toBe(restored);
    expect(await keeper.sweep(stop.signal)).toBe(0);
    expect(rig.leftovers()).toEqual([]);
  });

  it("has a job wait until it has put the job's site back", async () => {
    expect(await killedAt("restore", 17)).toBe(true);
    const keeper = await keeperOf(rig.stateDir, clock);
    const sweeping = keeper.sweep(stop.signal);
    using _held = await keeper.hold(SITE_ID, stop.signal);
    expect(rig.leftovers()).toEqual([]);
    expect(await rig.state()).toBe(old);
    await sweeping;
  });
});

/** Its socket, that is. */
function databaseAway(): Disposable {
  const { socketPath } = rig.server;
  renameSync(socketPath, `${socketPath}.away`);
  return { [Symbol.dispose]: () => renameSync(`${socketPath}.away`, socketPath) };
}

describe("another restore of the same site", () => {
  it("is refused while one is at work", async () => {
    const deps = await restoreDeps(rig.stateDir);
    using _other = deps.store.lockSite(SITE_ID);
    await expect(runRestore(requestFor(rig), source(), deps)).rejects.toMatchObject({
      code: "already_running",
    });
  });
});

describe("kill -9", () => {
  const moved = (state: string): string => state.replaceAll("http://then.example", NEW_URL);

  it("at any step of a restore leaves the old or the new site after the next start, and undo works", {
    timeout: 600_000,
  }, async () => {
    const ends = new Set<string>();
    for (let life = 0; ; life += 1) {
      await rig.reset();
      const wasKilled = await killedAt("restore", life);
      await recoverRestores(rig.stateDir);
      const state = await rig.state();
      expect([old, moved(restored)]).toContain(state);
      ends.add(state);
      if (state !== old) {
        await runUndo({ siteId: SITE_ID, dryRun: false }, await restoreDeps(rig.stateDir));
        expect(await rig.state()).toBe(old);
      }
      expect(rig.leftovers()).toEqual([]);
      if (!wasKilled) break;
    }
    expect(ends.size).toBe(2);
  });

  it.each([
    {
      stage: "safety",
      when: "in the middle of the safety dump",
      hold: () => lockTable(database(), "wp_posts"),
      reached: () => untilWaitingForLock(database()),
    },
    {
      stage: "url",
      when: "in the middle of the change of the address",
      hold: () => holdNamedLock(database(), "'holds'"),
      reached: () => untilWaitingForNamedLock(database()),
    },
  ])("$when leaves the old site after the next start", async ({ stage, hold, reached }) => {
    {
      await using _held = await hold();
      const { child, said } = startMortal("restore", -1);
      await reached();
      child.kill("SIGKILL");
      expect((await said).trimEnd().split("\n").at(-1)).toBe(stage);
    }
    await recoverRestores(rig.stateDir);
    expect(await rig.state()).toBe(old);
    expect(rig.leftovers()).toEqual([]);
  });

  it("at any step of an undo leaves it to the next start to finish it", { timeout: 600_000 }, async () => {
    for (let life = 0; ; life += 1) {
      await rig.reset();
      await runRestore(requestFor(rig), source(), await restoreDeps(rig.stateDir));
      const wasKilled = await killedAt("undo", life);
      const deps = await restoreDeps(rig.stateDir);
      const hasBegun = (await deps.store.list())[0]?.state !== "done";
      await recoverRestores(rig.stateDir);
      expect(await rig.state()).toBe(hasBegun ? old : restored);
      if (!wasKilled) break;
    }
    expect(rig.leftovers()).toEqual([]);
  });
});

const database = (): HeldDatabase => ({ mariadb: rig.server, db: { name: "shop", user: "wp" } });

function startMortal(what: "restore" | "undo", life: number): { child: ChildProcess; said: Promise<string> } {
  const script = join(import.meta.dirname, "mortal-restore.ts");
  const args = [script, what, rig.siteDir, rig.stateDir, rig.archive, String(life)];
  const env = { ...inheritedEnvironment(), NODE_COMPILE_CACHE: join(rig.dir, "compiled") };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  return { child, said: text(child.stdout) };
}

async function killedAt(what: "restore" | "undo", life: number): Promise<boolean> {
  const { child, said } = startMortal(what, life);
  const [code, signal] = await once(child, "exit");
  if (signal === "SIGKILL") return true;
  expect(code).toBe(0);
  expect(Number((await said).trimEnd().split("\n").at(-1))).toBe(life);
  return false;
}
