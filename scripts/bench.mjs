// npm run bench, npm run bench:sizes: installs what is compared with (restic, tar, zstd, WordPress) as npm test does, then
// measures.
import { join } from "node:path";
import { BENCH, BENCH_SIZES } from "./bench-options.mjs";
import { readOptions } from "./read-options.mjs";
import { runChild } from "./run-child.mjs";
import { ROOT, runMain, setUp } from "./setup.mjs";

await runMain(async () => {
  const [program = "main.ts", ...args] = process.argv.slice(2);
  // Also read by the program itself; who wants help or has misspelt something need not wait for the set-up.
  readOptions(program === "sizes.ts" ? BENCH_SIZES : BENCH, args);
  return await runChild(setUp("test"), [join("bench", program), ...args], { root: ROOT });
});
