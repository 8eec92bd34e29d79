// A restore or an undo in a process of its own, which is killed as by kill -9 before its n-th step that anybody could
// see from outside: a rename, a file made or removed, a journal written, a piece of the dump sent.
import type { SiteTree } from "#runner/io/restore/site-tree.ts";
import { runRestore } from "#runner/run-restore.ts";
import { runUndo } from "#runner/run-undo.ts";
import { directorySource, requestFor, restoreDeps, SITE_ID } from "./site-rig.ts";

const [what = "", siteDir = "", stateDir = "", backupDir = "", life = "0"] = process.argv.slice(2);

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
    link: mortal(tree.link),
    makeDirectory: mortal(tree.makeDirectory),
    makeFile: mortal(tree.makeFile),
    unlink: mortal(tree.unlink),
    remove: mortal(tree.remove),
  };
}

const real = await restoreDeps(stateDir);
const deps = {
  ...real,
  tree: mortalTree(real.tree),
  store: {
    ...real.store,
    async write(journal: Parameters<typeof real.store.write>[0]) {
      step();
      await real.store.write(journal);
      step();
    },
    async remove(id: string) {
      step();
      await real.store.remove(id);
    },
  },
  onProgress: step,
};
if (what === "restore") await runRestore(requestFor({ siteDir }), directorySource(backupDir), deps);
else await runUndo({ siteId: SITE_ID, dryRun: false }, deps);
process.stdout.write(`${steps}\n`);
