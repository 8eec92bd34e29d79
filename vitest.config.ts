// Two projects: `unit` is what `npm run check` runs (no servers to install, seconds); `system` starts whole programs,
// needs the machine's MariaDB, PHP, WordPress and zstd, and is what `npm test` adds.
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** One worker per processor, not one fewer; system tests wait for processes a third of the time. */
const WORKERS = { unit: 2, system: 3 };

/**
 * Worker threads of the product start from TypeScript sources here: bin/backupd says why V8 must not replace
 * WebAssembly's code then.
 */
const SAFE_WASM = ["--liftoff-only", "--wasm-wrapper-tiering-budget=1000000000"];

const config: ViteUserConfig = defineConfig({
  test: {
    execArgv: SAFE_WASM,
    projects: [
      {
        test: {
          name: "unit",
          maxWorkers: WORKERS.unit,
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.system.test.ts", "**/node_modules/**"],
          testTimeout: 20_000,
          // Many begin with a whole local stack.
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: "system",
          maxWorkers: WORKERS.system,
          include: ["test/**/*.system.test.ts"],
          globalSetup: ["test/helpers/package-backupd.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

export default config;
