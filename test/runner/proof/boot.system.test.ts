// The trial of a restored WordPress: a real one boots from its backup in the cage, a broken one is found out with PHP's own
// words, a hostile one gets nowhere, and a killed proof leaves nothing. Not run where it cannot be locked up: then the proof says why it was not booted.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backupdLauncher } from "#local/backupd-launcher.ts";
import type { DemoSite } from "#local/demo/demo-site.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { runProgram } from "#local/run-program.ts";
import { findProgram } from "#runner/io/find-program.ts";
import { type BootRequest, bootSite } from "#runner/io/proof/boot-site.ts";
import { type Cage, findCage } from "#runner/io/proof/php-cage.ts";
import { type ProofServer, startProofServer } from "#runner/io/proof/proof-server.ts";
import { openPlainDump } from "#runner/io/restore/plain-dump.ts";
import { prepareImport } from "#runner/io/restore/restore-database.ts";
import { readSite, type SiteDatabase } from "#runner/io/site.ts";
import type { BootOutcome } from "#runner/plan/proof/boot-outcome.ts";
import type { Finding } from "#shared/contracts/restores.ts";
import { until } from "#test/faults/hold.ts";
import { canCage } from "#test/helpers/can-cage.ts";
import { type Descendant, descendantsOf, isAlive } from "#test/helpers/descendants.ts";
import { runBackupd } from "#test/helpers/fleet.ts";
import { cloneDemoSite } from "#test/local/demo/clone-demo-site.ts";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";
import { packTo } from "#test/runner/io/pack-to-tree.ts";
import { dumpText } from "./dump-text.ts";

const isRoot = process.getuid?.() === 0;
const isLockable = await canCage();
const never = new AbortController().signal;

let stack: AsyncDisposableStack;
let dir: string;
let demo: DemoSite;
let server: ProofServer;
let db: SiteDatabase;
let cage: Cage | string;
let scratchDir: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  ({ path: dir } = stack.use(await makeTempDir()));
  demo = stack.use(await cloneDemoSite({ dir: join(dir, "demo") }));
  const dump = join(dir, "dump.sql");
  await dumpForComparison(demo.mariadb, demo.db.name, dump);
  server = stack.use(await startProofServer(join(dir, "server"), never));
  db = await server.makeDatabase(demo.db.name);
  const prepared = await prepareImport({ db }, openPlainDump(dump), { signal: never });
  await prepared.load({ signal: never });
  cage = await findCage();
});
afterAll(async () => {
  await stack?.disposeAsync();
});
beforeEach(() => {
  scratchDir = mkdtempSync(join(dir, "scratch-"));
});

/** What a backup of the demo site has, with this plugin in it. */
async function layOut(plugin?: string): Promise<string> {
  const site = mkdtempSync(join(dir, "extracted-"));
  const content = join(site, "wp-content");
  for (const name of ["wp-content", "wp-config.php"]) {
    await runProgram("cp", ["-a", join(demo.siteDir, name), join(site, name)]);
  }
  if (plugin !== undefined) {
    mkdirSync(join(content, "mu-plugins"));
    writeFileSync(join(content, "mu-plugins/extra.php"), `<?php ${plugin}`);
  }
  return site;
}

/** As a proof does it: extracted, on its restored database. */
async function booted(plugin?: string, how: Partial<BootRequest> = {}): Promise<BootOutcome> {
  if (typeof cage === "string") throw new Error(cage);
  const site = await layOut(plugin);
  const live = { path: demo.siteDir, siteEnvFile: join(dir, "none.env") };
  const place = { cage, extractedDir: site, live, db, socketFile: server.socketFile, dir: scratchDir };
  return await bootSite({ ...place, signal: never, ...how });
}

/** An archive of the demo site and this dump, with this plugin in it. */
async function packed(dump: string, plugin?: string): Promise<string> {
  const site = await layOut(plugin);
  const file = join(site, "archive.tar.zst");
  await packTo(file, { site, content: join(site, "wp-content") }, { dump });
  return file;
}

const findingsOf = (outcome: BootOutcome): readonly Finding[] =>
  outcome.kind === "booted" ? outcome.findings : [{ code: "not booted", message: outcome.why }];

function processesIn(place: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(place);
    } catch {
      return false;
    }
  });
}

describe.runIf(isLockable)(
  `a restored WordPress${isLockable ? "" : " (skipped: nothing can be locked up here)"}`,
  () => {
    it("boots from its backup and the throw-away database, and answers 200", async () => {
      const outcome = await booted();
      expect(outcome).toMatchObject({ kind: "booted", status: 200, findings: [], warnings: [] });
      expect(outcome.kind === "booted" && outcome.seconds).toBeGreaterThan(0);
      expect(processesIn(scratchDir)).toEqual([]);
    });

    it("boots without a live site, on the system's own WordPress", async () => {
      expect(await booted("", { live: undefined })).toMatchObject({ kind: "booted", status: 200 });
    });

    it("with a plugin that fails is a finding, in PHP's words", async () => {
      const [finding] = findingsOf(await booted("call_to_something_that_is_gone();"));
      expect(finding?.code).toBe("boot_failed");
      expect(finding?.message).toContain(
        "answered 500: PHP Fatal error: Uncaught Error: Call to undefined function call_to_something_that_is_gone()",
      );
      expect(finding?.message).toContain("wp-content/mu-plugins/extra.php:1");
    });

    it("that gives up by itself is one in the words of its page", async () => {
      const [finding] = findingsOf(await booted("wp_die('The licence is gone');"));
      expect(finding).toMatchObject({
        message: expect.stringContaining("answered 500: The licence is gone"),
      });
    });

    it("that leads its visitors elsewhere is a warning, for that may be what it is meant to do", async () => {
      const message = expect.stringContaining("302 to https://elsewhere.example/");
      const away = "header('Location: https://elsewhere.example/', true, 302); exit;";
      expect(await booted(away)).toMatchObject({
        findings: [],
        warnings: [{ code: "boot_redirected", message }],
      });
    });

    it("that is hostile sees neither this machine nor its site, and reaches nobody", async () => {
      const attack = `
      function tried($what) { return $what ? 'YES' : 'no'; }
      $found = [
        'passwd' => tried(@file_get_contents('/etc/passwd')),
        'live' => tried(@scandir('${demo.siteDir}')),
        'state' => tried(@scandir('${scratchDir}')),
        'tcp' => tried(@fsockopen('127.0.0.1', ${demo.mariadb.port}, $a, $b, 1)),
        'socket' => tried(@stream_socket_client('unix://${demo.mariadb.socketPath}', $a, $b, 1)),
        'write' => tried(@file_put_contents(ABSPATH . 'x', 'x') || @file_put_contents(WP_CONTENT_DIR . '/x', 'x') || @file_put_contents('/usr/x', 'x')),
        'mail' => tried(mail('a@example.com', 'b', 'c')),
        'root' => tried(posix_getuid() === 0 || posix_setuid(0) || posix_getuid() === 65534),
        'password' => tried(DB_PASSWORD !== '' || strpos(DB_HOST, '/db/') === false),
        'cron' => tried(!DISABLE_WP_CRON),
        'pids' => count(array_filter(scandir('/proc'), 'is_numeric')) < 12 ? 'no' : 'YES',
        'links' => tried(@symlink('/', '/tmp/r') && @scandir('/tmp/r/root')),
        'names' => implode(' ', array_diff(scandir('/'), ['.', '..'])),
      ];
      throw new Error(json_encode($found));`;
      const [finding] = findingsOf(await booted(attack));
      const said = /\{.*\}/.exec(finding?.message ?? "")?.[0] ?? "";
      const { names, ...tries } = JSON.parse(said.replaceAll("\\/", "/")) as Record<string, string>;
      expect(Object.keys(tries)).toHaveLength(12);
      expect(new Set(Object.values(tries))).toEqual(new Set(["no"]));
      expect(names).toMatch(/^bin boot db dev etc lib.* proc sbin site tmp usr$/);
    });

    it.each([
      [
        "processes",
        "for ($i = 0; $i < 99; $i += 1) { $p[] = @proc_open(['sleep', '9'], [], $x); } throw new Error(count(array_filter($p)) > 40 ? 'YES' : 'no');",
      ],
      [
        "a big file",
        "$f = fopen('/tmp/big', 'w'); while (@fwrite($f, str_repeat('x', 1000000))); throw new Error(ftell($f) > 100e6 ? 'YES' : 'no');",
      ],
      ["memory", "ini_set('memory_limit', -1); $s = 'x'; while (true) $s .= $s;"],
    ])(
      "that wants too much of this machine (%s) does not get it, and leaves nothing",
      async (_what, plugin) => {
        const findings = findingsOf(await booted(plugin));
        expect(findings).toHaveLength(1);
        expect(JSON.stringify(findings)).not.toContain("YES");
        expect(processesIn(scratchDir)).toEqual([]);
      },
    );

    it("whose wp-content is a link to somewhere else is not shown what is there", async () => {
      const site = mkdtempSync(join(dir, "linked-"));
      await runProgram("cp", ["-a", join(demo.siteDir, "wp-config.php"), site]);
      symlinkSync("/", join(site, "wp-content"));
      const outcome = await booted(undefined, { extractedDir: site });
      expect(outcome.kind === "not-booted" && outcome.why).toContain("no directory");
    });

    it("ends with the job when that is stopped", async () => {
      const controller = new AbortController();
      const ended = booted("sleep(40);", { signal: controller.signal }).catch((error: unknown) => error);
      await until("the cage", () => processesIn(scratchDir).length > 0);
      controller.abort(new Error("stopped"));
      expect(await ended).toMatchObject({ message: "stopped" });
      expect(processesIn(scratchDir)).toEqual([]);
    });

    it.each<[string, (names: readonly string[]) => boolean]>([
      ["as the cage is built", (names) => names.includes("bwrap")],
      // The visitor, and the server that he asks.
      ["while WordPress runs", (names) => names.filter((name) => name.startsWith("php")).length > 1],
    ])(
      "leaves nothing when backupd is killed %s, and the next proof is as any other",
      async (_when, isThen) => {
        const dump = await dumpText(readSite({ path: demo.siteDir }).db, scratchDir);
        const [slow, usual] = [await packed(dump, "sleep(40);"), await packed(dump)];
        const stateDir = join(scratchDir, "state");
        const command = (file: string): string[] => [
          ...["verify", file, "--deep", "--boot", "--json", "--state-dir", stateDir],
        ];
        const killed = spawn(backupdLauncher(), command(slow), { stdio: "ignore" });
        const startedBy = (): Descendant[] => descendantsOf(killed.pid ?? 0);
        await until("that moment", () => isThen(startedBy().map(({ name }) => name)));
        const started = startedBy();
        killed.kill("SIGKILL");
        await once(killed, "exit");
        expect(started.map(({ name }) => name)).toContain("mariadbd");
        // Neither the site's code nor its data waits for the next start.
        await until("their end", () => !started.some(isAlive));

        const { code, stdout, stderr } = await runBackupd(command(usual));
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        const said: unknown = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
        expect(said).toMatchObject({ event: "verify.good", boot: { status: 200 }, findings: [] });
        expect(processesIn(stateDir)).toEqual([]);
        expect(readdirSync(join(stateDir, "spool"))).toEqual([]);
      },
    );
  },
);

it.each([
  ["php", "PHP is not installed"],
  ["bwrap", isRoot ? "bubblewrap" : "only root"],
])("without %s there is no cage, and it says why", async (missing, why) => {
  const find: typeof findProgram = (names) => (names.includes(missing) ? undefined : findProgram(names));
  expect(await findCage(find)).toContain(why);
});
