// System tests run what nodes install, not the sources: it is what has to work, and some hundred starts of it take a
// quarter of the processor time.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { LAUNCHER_VARIABLE } from "#local/backupd-launcher.ts";
import { packageRunner } from "../../scripts/package-runner.mjs";

// Two below the packages, where its launcher looks for them; one for each run, since several may be going on.
const DIR = join(import.meta.dirname, "../..", "dist", `tested-${process.pid}`);

/** Vitest calls it once, before the first file; the workers inherit the environment. */
export async function setup(): Promise<void> {
  await packageRunner(DIR);
  process.env[LAUNCHER_VARIABLE] = join(DIR, "bin", "backupd");
}

export function teardown(): void {
  rmSync(DIR, { recursive: true, force: true });
}
