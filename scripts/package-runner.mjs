// Makes the installable form of backupd: a directory with its launcher, one ES module per thing that may not be needed,
// a CommonJS one for each thread, and a package.json for what cannot be bundled (addons, Node itself). Starting it reads
// 2 MB in 40 files instead of 60 MB in 1,500.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { COMMON_OPTIONS } from "./bundle.mjs";
import { ROOT } from "./setup.mjs";

/** Each is loaded only by what needs it. */
const ADDONS = ["@mongodb-js/zstd", "koffi"];

/**
 * zod compiles a parser for each schema when it is first used, which pays for a server. backupd parses a few answers in its
 * life, most of them once: 15 ms of a start.
 */
const plainParsers = {
  name: "plain-parsers",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]core[\\/]core\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(/^(export const globalConfig = ).*;$/m, "$1{ jitless: true };");
      if (contents === source) throw new Error(`${path} has no globalConfig any more`);
      return { contents, loader: "js" };
    });
  },
};

/** Replaces `dir`. It runs where a node_modules directory in it, beside it or two above it has the addons. */
export async function packageRunner(dir) {
  rmSync(dir, { recursive: true, force: true });
  const options = {
    ...COMMON_OPTIONS,
    plugins: [...COMMON_OPTIONS.plugins, plainParsers],
    outdir: dir,
    entryNames: "[name]",
    external: ADDONS,
    // Readable, for whoever reads a stack trace; node --enable-source-maps finds the rest.
    minify: false,
    sourcemap: "linked",
    sourcesContent: false,
  };
  await Promise.all([
    build({
      ...options,
      entryPoints: [join(ROOT, "runner/main.ts")],
      chunkNames: "[name]-[hash]",
      outExtension: { ".js": ".mjs" },
      // `backupd --version` loads what it needs, and no AWS SDK.
      splitting: true,
    }),
    // For an ES module each thread would load Node's loader of them, and twenty more of its modules: 10 to 15 ms.
    build({
      ...options,
      entryPoints: [join(ROOT, "runner/**/*-worker.ts")],
      format: "cjs",
      banner: {},
      outExtension: { ".js": ".cjs" },
    }),
  ]);
  mkdirSync(join(dir, "bin"));
  copyFileSync(join(ROOT, "bin/backupd"), join(dir, "bin/backupd"));
  writeFileSync(join(dir, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
}

function manifest() {
  const source = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { name, version, description, license, dependencies, optionalDependencies } = source;
  const ownNode = Object.entries(optionalDependencies).filter(([dependency]) =>
    dependency.startsWith("node-"),
  );
  return {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { backupd: "bin/backupd" },
    files: ["bin", "*.mjs", "*.mjs.map", "*.cjs", "*.cjs.map"],
    dependencies: Object.fromEntries(ADDONS.map((addon) => [addon, dependencies[addon]])),
    optionalDependencies: Object.fromEntries(ownNode),
  };
}
