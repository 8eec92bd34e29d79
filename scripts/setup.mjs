// Brings a fresh clone to where it runs: npm packages, Node 24, system packages. Does nothing, silently, when all
// is there, because npm start and npm test both begin with it. Alone: node scripts/setup.mjs start|test
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { installWithApt } from "./setup-apt.mjs";
import { SetupError } from "./setup-error.mjs";
import { bundledNodePath, readFacts } from "./setup-facts.mjs";
import { installNpmPackages, writeStamp } from "./setup-npm.mjs";
import { planSetup } from "./setup-plan.mjs";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Does what is due for `profile` ("start" or "test"); returns the path of the Node to go on with. */
export function setUp(profile) {
  for (const action of planSetup(readFacts(ROOT, profile))) {
    if (action.kind === "fail") throw new SetupError(action.message);
    if (action.kind === "npm-ci") installNpmPackages(ROOT, say);
    if (action.kind === "adopt") writeStamp(ROOT);
    if (action.kind === "apt") installWithApt(action, say);
  }
  return existsSync(bundledNodePath(ROOT)) ? bundledNodePath(ROOT) : process.execPath;
}

/** Runs `main`, ends with its exit code, and shows a set-up problem as the plain text it is. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = 1;
    console.error(error instanceof SetupError ? `\n${error.message}` : error);
  }
}

const say = (text) => console.error(text);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(() => {
    const profile = process.argv[2] ?? "start";
    if (profile !== "start" && profile !== "test")
      throw new SetupError("Use: node scripts/setup.mjs start|test");
    setUp(profile);
    return 0;
  });
}
