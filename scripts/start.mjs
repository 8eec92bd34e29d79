// npm start: set-up if anything is missing, then the local stack on Node 24 with the same arguments.
import { join } from "node:path";
import { runChild } from "./run-child.mjs";
import { ROOT, runMain, setUp } from "./setup.mjs";

await runMain(() => {
  const node = setUp("start");
  return runChild(node, [join("local", "start.ts"), ...process.argv.slice(2)], { root: ROOT });
});
