// npm run bench, npm run bench:sizes: installs what is compared with (restic, tar, zstd, WordPress) as npm test does, then
// measures.
import { join } from "node:path";
import { runChild } from "./run-child.mjs";
import { ROOT, runMain, setUp } from "./setup.mjs";

await runMain(async () => {
  const [program = "main.ts", ...args] = process.argv.slice(2);
  return await runChild(setUp("test"), [join("bench", program), ...args], { root: ROOT });
});
