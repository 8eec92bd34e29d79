// What the runner does besides jobs: heartbeats, discovery, its lock, and cleaning up after a crash.
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runHeartbeats } from "#runner/heartbeat.ts";
import { discoverSites } from "#runner/io/discover.ts";
import type { LedgerHead } from "#runner/io/ledger-head.ts";
import { tryLock } from "#runner/io/lock.ts";
import type { MasterClient } from "#runner/io/master-client.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import { openUploadJournal } from "#runner/io/upload-journal.ts";
import { settleUploads } from "#runner/settle-uploads.ts";
import { cleanDisk } from "#runner/startup.ts";
import type { Heartbeat, NodeConfig } from "#shared/contracts/nodes.ts";
import { BackupError } from "#shared/errors.ts";
import { manualClock } from "#test/fakes/manual-clock.ts";
import { openedUpload } from "#test/helpers/ledgers.ts";
import { recordedLog, tempDir } from "./harness.ts";

const neverCalled = (): Promise<never> => Promise.reject(new Error("nothing to call this for"));

let temp: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => {
  temp = await tempDir();
});
afterEach(() => temp[Symbol.asyncDispose]());

describe("discovery", () => {
  const site = async (...path: string[]): Promise<string> => {
    const dir = join(temp.path, ...path);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "wp-config.php"), "");
    return dir;
  };

  test("finds sites below its roots, stars included, and nothing behind a symlink", async () => {
    const shop = await site("www", "shop");
    const home = await site("home", "ann", "public_html");
    const outside = await site("elsewhere", "site");
    await symlink(join(outside, ".."), join(temp.path, "www", "link"));
    await symlink("/", join(temp.path, "www", "root"));
    const roots = [
      join(temp.path, "www"),
      join(temp.path, "home", "*", "public_html"),
      join(temp.path, "none"),
    ];
    expect((await discoverSites(roots)).sort()).toEqual([home, shop].sort());
  });

  test("does not look into what is deep, hidden or never a site", async () => {
    const deep = await site("www", "a", "b", "c", "d");
    await site("www", "a", "b", "c", "d2", "e");
    await site("www", ".hidden");
    await site("www", "wp-content", "x");
    await site("www", "node_modules", "x");
    expect(await discoverSites([join(temp.path, "www")])).toEqual([deep]);
  });

  test("reports a directory named *.php as no site, and stops at its bounds", async () => {
    await mkdir(join(temp.path, "www", "x", "wp-config.php"), { recursive: true });
    for (let n = 0; n < 510; n += 1) await site("many", String(n));
    expect(await discoverSites([join(temp.path, "www")])).toEqual([]);
    expect(await discoverSites([join(temp.path, "many")])).toHaveLength(500);
  });
});

describe("heartbeats", () => {
  test("say how the node is, go on through failures, and fetch a config that changed", async () => {
    const state = await openStateDir(join(temp.path, "state"));
    const clock = manualClock();
    const beats: Heartbeat[] = [];
    let revision = "1";
    let fetched = "1";
    const master = {
      clockSkewMs: () => undefined,
      async call(_: string, { body }: { body: Heartbeat }) {
        beats.push(body);
        if (beats.length === 2) throw new BackupError("master_unreachable");
        return { server_time: "", config_revision: revision };
      },
    } as unknown as MasterClient;
    const config = (): NodeConfig => ({ revision: fetched, limits: { heartbeat_seconds: 60 } }) as NodeConfig;
    const source = {
      current: async () => config(),
      refresh: async () => {
        fetched = revision;
        return config();
      },
      credentials: async () => Promise.reject(new Error("not asked for")),
      credentialsOf: async () => Promise.reject(new Error("not asked for")),
      storageOf: async () => undefined,
    };
    const stop = new AbortController();
    const { log, events } = recordedLog();
    const outbox = { length: async () => 3 } as never;
    const parts = { master, source, state, outbox, clock, log, version: "1", platform: "p", siteRoots: [] };
    const running = runHeartbeats(stop.signal, { ...parts, runningJobId: () => "job" });
    const ended = expect(running).rejects.toMatchObject({ code: "interrupted" });
    for (let beat = 0; beat < 3; beat += 1) {
      await clock.untilAsleep(1);
      revision = "2";
      await clock.advance(66_000);
    }
    await clock.untilAsleep(1);
    stop.abort(new BackupError("interrupted"));
    await ended;
    expect(beats).toHaveLength(4);
    expect(beats[0]).toMatchObject({ running_job_id: "job", outbox_length: 3, version: "1" });
    expect(beats[0]?.disk_total_bytes).toBeGreaterThan(0);
    expect(events().filter((event) => event === "heartbeat.failed")).toHaveLength(1);
    expect(events().filter((event) => event === "config.changed")).toHaveLength(1);
  });
});

describe("a lock", () => {
  test("is held by one, and free again once let go", () => {
    const path = join(temp.path, "lock");
    const first = tryLock(path);
    expect(first).toBeDefined();
    expect(tryLock(path)).toBeUndefined();
    first?.[Symbol.dispose]();
    const second = tryLock(path);
    expect(second).toBeDefined();
    second?.[Symbol.dispose]();
  });
});

describe("the start after a crash", () => {
  test("removes what the dead left, and touches nothing of a job that lives", async () => {
    const state = await openStateDir(join(temp.path, "state"));
    const uploads = openUploadJournal(state);
    const living = await state.openSpool("living");
    await mkdir(join(temp.path, "state", "spool", "dead"));
    await writeFile(join(temp.path, "state", "spool", "dead", "dump"), "x");
    for (const job_id of ["living", "dead", "stubborn"]) {
      const writer = await uploads.begin([openedUpload({ job_id, upload_id: job_id })], () => undefined);
      await writer.close();
    }
    await writeFile(join(state.uploadsDir, "damaged.ledger"), "{");
    await writeFile(join(state.uploadsDir, "dead.ledger.123.tmp"), "half");
    const aborted: string[] = [];
    const deps = {
      state,
      uploads,
      outbox: { put: neverCalled, flush: neverCalled, length: neverCalled },
      clock: manualClock(),
      log: recordedLog().log,
      uploadFate: neverCalled,
      abortUpload: async ({ opened }: LedgerHead) => {
        if (opened.job_id === "stubborn") throw new BackupError("storage_unreachable");
        aborted.push(opened.job_id);
      },
    };
    await cleanDisk(deps);
    await settleUploads(new AbortController().signal, deps);
    expect(aborted).toEqual(["dead"]);
    expect((await readdir(state.uploadsDir)).sort()).toEqual(["living.ledger", "stubborn.ledger"]);
    expect((await readdir(join(temp.path, "state", "spool"))).sort()).toEqual(["living", "living.lock"]);
    await living.remove();
    expect(await readdir(join(temp.path, "state", "spool"))).toEqual([]);
  });
});
