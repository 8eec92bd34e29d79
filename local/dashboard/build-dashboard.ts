// Builds dashboard/ into dist/dashboard when it is not there or older than its sources: a first `npm start` in a fresh
// clone has a dashboard, and a second one does not wait for it.
import { glob, stat } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "#local/run-program.ts";
import { PROJECT_ROOT } from "#local/serverless-file.ts";

export const DASHBOARD_DIR = join(PROJECT_ROOT, "dist", "dashboard");
const VITE = join(PROJECT_ROOT, "node_modules", "vite", "bin", "vite.js");
const BUILD = [VITE, "build", "dashboard", "--configLoader", "native", "--logLevel", "warn"];
const SOURCES = ["dashboard/**/*", "shared/**/*.ts", "package-lock.json"];

/** The directory of the built dashboard. */
export async function ensureDashboardBuilt(onBuild: () => void = () => undefined): Promise<string> {
  const builtMs = await changedMs(join(DASHBOARD_DIR, "index.html"));
  if (builtMs > (await newestSourceMs())) return DASHBOARD_DIR;
  onBuild();
  // In a process of its own: in one whose NODE_ENV is "test", React's development build would come out.
  await runProgram(process.execPath, BUILD, { cwd: PROJECT_ROOT, env: { NODE_ENV: "production" } });
  return DASHBOARD_DIR;
}

async function newestSourceMs(): Promise<number> {
  let newest = 0;
  for await (const path of glob(SOURCES, { cwd: PROJECT_ROOT })) {
    newest = Math.max(newest, await changedMs(join(PROJECT_ROOT, path)));
  }
  return newest;
}

/** 0 if it is not there. */
async function changedMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}
