// Four projects. `unit` is what `npm run check` runs, in less than a minute with all else. `npm test` adds `integration`,
// which talks to servers of ours over the wire (the local stack in the test's process, nothing to install), and `system`,
// which starts whole programs and needs the machine's MariaDB, PHP, WordPress and zstd. `thorough` is of that kind, for
// `npm run test:thorough`: whole matrices of faults and variants, of which each commit's run can do without.
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** One more than processors: a third of the time they wait, for processes and for time. */
const WORKERS = 3;

/** The Master, the stores and the runner's control side. */
const INTEGRATION = [
  "test/contracts/**/*.test.ts",
  "test/functions/*.test.ts",
  "test/local/**/*.test.ts",
  "test/runner/control/*.test.ts",
];
const NEITHER = ["test/**/*.system.test.ts", "**/node_modules/**"];
const IN_PROCESS = {
  maxWorkers: WORKERS,
  testTimeout: 20_000,
  // Many begin with a whole local stack.
  hookTimeout: 20_000,
};

const THOROUGH = [
  "test/drill/{variants,restore-elsewhere}.system.test.ts",
  "test/faults/{duplicates,master-down,s3,site}.system.test.ts",
  "test/functions/fuzz.system.test.ts",
  "test/load/*.system.test.ts",
  "test/local/{demo,s3}/*.system.test.ts",
  "test/runner/io/{histories,cut-short}.system.test.ts",
  "test/runner/proof/boot.system.test.ts",
  "test/runner/restore/run-restore.system.test.ts",
  "test/scripts/deploy.system.test.ts",
];
const WHOLE_PROGRAMS = {
  maxWorkers: WORKERS,
  globalSetup: ["test/helpers/package-backupd.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

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
          ...IN_PROCESS,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...INTEGRATION, ...NEITHER],
        },
      },
      { test: { ...IN_PROCESS, name: "integration", include: INTEGRATION, exclude: NEITHER } },
      {
        test: {
          ...WHOLE_PROGRAMS,
          name: "system",
          include: ["test/**/*.system.test.ts"],
          exclude: [...THOROUGH, "**/node_modules/**"],
        },
      },
      { test: { ...WHOLE_PROGRAMS, name: "thorough", include: THOROUGH } },
    ],
  },
});

export default config;
