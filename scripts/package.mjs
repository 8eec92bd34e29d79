// npm run package: one minified ESM bundle per function in dist/functions, with what it loads only when it is needed in
// chunks beside it, then the CloudFormation template in
// dist/.serverless, made offline and without credentials; and dist/backupd, what a node installs. What a function
// loads at its start fails over 1 MB: cold starts read every byte of it.
// With --template-into=NAME: the template alone, into dist/NAME, where empty functions cannot be deployed by mistake.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { parse, parseDocument } from "yaml";
import { functionRole, roleLogicalId } from "../functions/core/function-roles.ts";
import { COMMON_OPTIONS } from "./bundle.mjs";
import { packageRunner } from "./package-runner.mjs";
import { ROOT, runMain } from "./setup.mjs";

const MAX_BUNDLE_BYTES = 1_000_000;
/** Beside a bundle: what it loads when it is needed. */
const CHUNKS = ".chunks";
const chunksOf = (file) => `${file}${CHUNKS}`;
const TEMPLATE_INTO = "--template-into=";
const templateName = process.argv.find((arg) => arg.startsWith(TEMPLATE_INTO))?.slice(TEMPLATE_INTO.length);
const IS_TEMPLATE_ONLY = templateName !== undefined;
const OUT = join(ROOT, "dist", ...(IS_TEMPLATE_ONLY ? [templateName] : []));
/** Nothing of it is used offline, but the SDK wants to see some. */
const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  AWS_EC2_METADATA_DISABLED: "true",
};

await runMain(async () => {
  const text = readFileSync(join(ROOT, "serverless.yml"), "utf8");
  const { functions } = parse(text, { logLevel: "error" });
  // The dashboard's files lie beside them.
  for (const name of ["functions", "infra", "backupd", ".serverless"])
    rmSync(join(OUT, name), { recursive: true, force: true });
  mkdirSync(join(OUT, "functions"), { recursive: true });
  if (IS_TEMPLATE_ONLY) for (const one of Object.values(functions)) writeFileSync(bundlePath(one), "");
  else if (!(await bundleAll(functions))) return 1;
  else await packageRunner(join(OUT, "backupd"));
  writeService(text, functions);
  return runServerless();
});

/** False when one is too big. */
async function bundleAll(functions) {
  const sizes = await Promise.all(Object.entries(functions).map(bundle));
  report(sizes);
  const tooBig = sizes.filter(({ bytes }) => bytes > MAX_BUNDLE_BYTES);
  if (tooBig.length === 0) return true;
  console.error(`Over ${MAX_BUNDLE_BYTES} bytes: ${tooBig.map(({ name }) => name).join(", ")}`);
  return false;
}

function bundlePath({ handler }) {
  return join(OUT, `${handler.slice(0, handler.lastIndexOf("."))}.mjs`);
}

async function bundle([name, { handler }]) {
  const source = handler.slice(0, handler.lastIndexOf("."));
  const file = source.slice(source.lastIndexOf("/") + 1);
  const { metafile } = await build({
    ...COMMON_OPTIONS,
    entryPoints: [join(ROOT, `${source}.ts`)],
    outdir: dirname(bundlePath({ handler })),
    outExtension: { ".js": ".mjs" },
    splitting: true,
    chunkNames: `${chunksOf(file)}/[name]-[hash]`,
    metafile: true,
    minify: true,
    sourcemap: "external",
  });
  return { name, bytes: bytesAtStart(metafile) };
}

/** Of the entry and all that it imports before it runs. */
function bytesAtStart({ outputs }) {
  // What is imported on demand is an entry point, too.
  const isEntry = (path) => outputs[path].entryPoint !== undefined && !path.includes(CHUNKS);
  const seen = new Set(Object.keys(outputs).filter(isEntry));
  for (const path of seen) {
    for (const { kind, path: imported } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && outputs[imported] !== undefined) seen.add(imported);
    }
  }
  return [...seen].reduce((sum, path) => sum + outputs[path].bytes, 0);
}

/** serverless.yml again, beside the bundles, and with each function's one file as its package and its own role. */
function writeService(text, functions) {
  const service = parseDocument(text, { logLevel: "error" });
  for (const [name, { handler }] of Object.entries(functions)) {
    const source = handler.slice(0, handler.lastIndexOf("."));
    const patterns = ["!**", `${source}.mjs`, `${chunksOf(source)}/*.mjs`];
    service.setIn(["functions", name, "package"], { patterns });
    service.setIn(["functions", name, "role"], roleLogicalId(name));
    service.addIn(["resources"], { Resources: { [roleLogicalId(name)]: functionRole(name) } });
  }
  cpSync(join(ROOT, "infra"), join(OUT, "infra"), { recursive: true });
  writeFileSync(join(OUT, "serverless.yml"), service.toString({ lineWidth: 0 }));
  const { name, version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(OUT, "package.json"), JSON.stringify({ name, version, type: "module" }));
}

function runServerless() {
  const cli = join(ROOT, "node_modules", "serverless", "bin", "serverless.js");
  const args = [cli, "package", ...process.argv.slice(2).filter((arg) => !arg.startsWith(TEMPLATE_INTO))];
  const result = spawnSync(process.execPath, args, {
    cwd: OUT,
    stdio: "inherit",
    env: { ...NO_CREDENTIALS, ...process.env },
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function report(sizes) {
  for (const { name, bytes } of sizes.toSorted((a, b) => b.bytes - a.bytes)) {
    console.log(`${String(Math.round(bytes / 1000)).padStart(6)} kB  ${name}`);
  }
}
