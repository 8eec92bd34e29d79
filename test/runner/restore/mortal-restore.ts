// A restore of an archive with a new address, or an undo, in a process of its own, which is killed as by kill -9 before
// its n-th step that anybody could see from outside: a frame extracted, a rename, a file made or removed, a journal
// written, a piece of the dump sent. It says its stages, and in the end the number of its steps.
import { flushCompileCache } from "node:module";
import { archiveRestoreSource } from "#runner/archive-restore-source.ts";
import { openFileArchive } from "#runner/find-archive.ts";
import type { SiteTree } from "#runner/io/restore/site-tree.ts";
import { runRestore } from "#runner/run-restore.ts";
import { runUndo } from "#runner/run-undo.ts";
import { NEW_URL, requestFor, restoreDeps, SITE_ID } from "./site-rig.ts";

const [what = "", siteDir = "", stateDir = "", archive = "", life = "0"] = process.argv.slice(2);

let steps = 0;
function step(): void {
  if (steps === Number(life)) process.kill(process.pid, "SIGKILL");
  steps += 1;
}

function mortalTree(tree: SiteTree): SiteTree {
  const mortal =
    <A extends unknown[], R>(action: (...args: A) => R) =>
    (...args: A): R => {
      step();
      return action(...args);
    };
  return {
    ...tree,
    rename: mortal(tree.rename),
    exchange: mortal(tree.exchange),
    link: mortal(tree.link),
    makeDirectory: mortal(tree.makeDirectory),
    makeFile: mortal(tree.makeFile),
    unlink: mortal(tree.unlink),
    remove: mortal(tree.remove),
  };
}

const real = await restoreDeps(stateDir);
const deps: typeof real = {
  ...real,
  tree: mortalTree(real.tree),
  store: {
    ...real.store,
    async write(journal) {
      step();
      await real.store.write(journal);
    },
    async remove(id) {
      step();
      await real.store.remove(id);
    },
  },
  enter: (stage) => void process.stdout.write(`${stage}\n`),
  onProgress: step,
};
// Who is killed later has no time for it, and the next one need not compile all this again.
flushCompileCache();
if (what === "restore") {
  await using found = await openFileArchive(archive, real.signal);
  await runRestore(requestFor({ siteDir }, { newUrl: NEW_URL }), archiveRestoreSource(found), deps);
} else {
  await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
}
process.stdout.write(`${steps}\n`);
