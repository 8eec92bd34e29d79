// Builds dashboard/ into dist/dashboard when it is not there or older than its sources: a first `npm start` in a fresh
// clone has a dashboard, and a second one does not wait for it.
import { glob, stat } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "#local/serverless-file.ts";

export const DASHBOARD_DIR = join(PROJECT_ROOT, "dist", "dashboard");
const SOURCES = ["dashboard/**/*", "shared/**/*.ts", "package-lock.json"];

/** The directory of the built dashboard. */
export async function ensureDashboardBuilt(onBuild: () => void = () => undefined): Promise<string> {
  const builtMs = await changedMs(join(DASHBOARD_DIR, "index.html"));
  if (builtMs > (await newestSourceMs())) return DASHBOARD_DIR;
  onBuild();
  // Loaded only now: it is large, and most starts do without it.
  const { build } = await import("vite");
  await build({
    configFile: join(PROJECT_ROOT, "dashboard", "vite.config.ts"),
    configLoader: "native",
    logLevel: "warn",
  });
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
