// What the bundles of the Lambda functions and of the runner have in common: ES modules for Node 24 that bring along
// of their dependencies what they use, and not a line of what they never would.
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { ROOT } from "./setup.mjs";

/** zod brings its messages in 50 languages, a quarter of a megabyte that nothing here asks for. */
const onlyEnglish = {
  name: "only-english",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
      loader: "js",
    }));
  },
};

/**
 * Where the AWS SDK looks for credentials by itself. A function's are in its environment and the runner's come from the
 * Master: SSO, profiles and instance metadata are never asked.
 */
const onlyGivenCredentials = {
  name: "only-given-credentials",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, () => ({
      path: "credential-provider-node",
      namespace: "given",
    }));
    onLoad({ filter: /.*/, namespace: "given" }, () => ({
      contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
      resolveDir: ROOT,
    }));
  },
};

/** ElectroDB holds its models against a JSON schema at each start. Ours never change, and every test run has done that. */
const checkedModels = {
  name: "checked-models",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]jsonschema[\\/]lib[\\/]index\.js$/ }, () => ({
      contents: `class Validator { addSchema() {} validate() { return { errors: [] }; } }
Validator.prototype.customFormats = {};
module.exports = { Validator };`,
      loader: "js",
    }));
  },
};

/** X-Ray's SDK asks whether Node is older than 8. */
const recentNode = {
  name: "recent-node",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^semver$/ }, ({ importer }) =>
      /[\\/](aws-xray-sdk-core|cls-hooked)[\\/]/.test(importer)
        ? { path: "semver", namespace: "recent" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "recent" }, () => ({
      contents: "module.exports = { gte: () => true, lt: () => false };",
      loader: "js",
    }));
  },
};

/**
 * A client of the SDK brings a class and a schema for each error of its service, SSM 141 of them. What our code does not name
 * comes out as the service's general exception, with its name and message all the same.
 */
const namedErrors = {
  name: "named-errors",
  setup({ onLoad }) {
    const ours = readdirSync(join(ROOT, "functions/stores"))
      .map((file) => readFileSync(join(ROOT, "functions/stores", file), "utf8"))
      .join("\n");
    const isNamed = (name) => new RegExp(`\\b${name}\\b`).test(ours);
    const keepNamed =
      (...patterns) =>
      ({ path }) => ({
        contents: patterns.reduce(
          (text, pattern) => text.replaceAll(pattern, (found, name) => (isNamed(name) ? found : "")),
          readFileSync(path, "utf8"),
        ),
        // As TypeScript, where imports that nobody uses go.
        loader: "ts",
      });
    const CLIENTS = "client-(ssm|sns|sqs|sts)[\\\\/]dist-es[\\\\/]";
    onLoad(
      { filter: new RegExp(`${CLIENTS}schemas[\\\\/]schemas_0\\.js$`) },
      keepNamed(
        /^n0_registry\.registerError\(\w+\$, (\w+)\);$/gm,
        /^export var (\w+)\$ = \[-3,.*\n(?: {4}.*\n)+\];$/gm,
      ),
    );
    onLoad(
      { filter: new RegExp(`${CLIENTS}models[\\\\/]errors\\.js$`) },
      keepNamed(/^export class (\w+) .*\n(?: {4}.*\n)+\}$/gm),
    );
  },
};

/** age also knows recipients of other curves and post-quantum ones, which have no part in ours: 80 kB. */
const onlyX25519 = {
  name: "only-x25519",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]@noble[\\/]post-quantum[\\/]hybrid\.js$/ }, () => ({
      contents: "export const MLKEM768P256 = undefined, MLKEM768X25519 = undefined;",
      loader: "js",
    }));
    onLoad({ filter: /[\\/]@noble[\\/]curves[\\/]nist\.js$/ }, () => ({
      contents: "export const p256 = undefined;",
      loader: "js",
    }));
  },
};

/**
 * An `import` of one of Node's modules evaluates everything that it exports, also what it would only load when asked for:
 * `node:http` brings WebSocket and with it undici, `node:crypto` all of Web Crypto. That is 45 ms of each start, and 20 MB.
 * So only what is named in an import is asked for.
 */
const namedBuiltins = {
  name: "named-builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      if (kind === "import-statement") return { path, namespace: "named" };
      return kind === "dynamic-import" ? { path, namespace: "whole" } : undefined;
    });
    const get = (path) => `process.getBuiltinModule(${JSON.stringify(path)})`;
    onLoad({ filter: /.*/, namespace: "named" }, ({ path }) => ({
      contents: [
        `const builtin = ${get(path)}, pick = (name) => builtin[name];`,
        "export default builtin;",
        ...Object.keys(process.getBuiltinModule(path))
          .filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default")
          // Pure, so that one that nobody imports goes.
          .map((name) => `export const ${name} = /* @__PURE__ */ pick("${name}");`),
      ].join("\n"),
      loader: "js",
    }));
    // As CommonJS, whose names are asked for when they are used.
    onLoad({ filter: /.*/, namespace: "whole" }, ({ path }) => ({
      contents: `module.exports = ${get(path)};`,
      loader: "js",
    }));
  },
};

/** For esbuild's `build`. */
export const COMMON_OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  // Some dependencies are CommonJS and call require, which an ES module does not have.
  banner: { js: 'import{createRequire as __r}from"node:module";const require=__r(import.meta.url);' },
  // ES modules first: they can be cut down to what is used.
  mainFields: ["module", "main"],
  plugins: [
    onlyEnglish,
    onlyGivenCredentials,
    checkedModels,
    recentNode,
    namedErrors,
    onlyX25519,
    namedBuiltins,
  ],
  legalComments: "none",
  logLevel: "warning",
};
