// Reads a wp-config.php (and what it includes, as Bedrock's does) from its syntax tree: the site may be hacked, so
// its code is never run. A value that cannot be known for sure is an error that names the constant, not a guess.

import { Engine } from "php-parser";
import { BackupError } from "#shared/errors.ts";
import { evaluate } from "./php-evaluate.ts";
import { isNode, nodesOf, type PhpNode, type PhpScope } from "./php-node.ts";
import { createPhpState, type PhpState } from "./php-scope.ts";
import { isUnknown, type PhpValue, toText, truthy, undecidable } from "./php-value.ts";

export interface WpConfig {
  readonly db: {
    readonly name: string;
    readonly user: string;
    readonly password: string;
    /** DB_HOST as written; see db-host.ts. */
    readonly host: string;
    readonly charset?: string;
  };
  readonly tablePrefix?: string;
  readonly contentDir?: string;
  readonly abspath?: string;
  /** All that are known for sure. */
  readonly constants: ReadonlyMap<string, string | number | boolean>;
}

export interface WpConfigOptions {
  /** The file's absolute path, for `__FILE__`, `__DIR__` and error messages. */
  readonly file: string;
  /** What `getenv()`, `env()`, `$_ENV` and `$_SERVER` may see: the site's .env, never this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Set by WordPress before it loads wp-config.php: the directory of wp-settings.php, with a slash at its end. */
  readonly abspath?: string;
  /** The source of an included file, or undefined if it is not there or may not be read. */
  readonly include?: (path: string) => string | undefined;
}

/** php-parser takes quadratic time for long qualified names; real files are a few KiB. */
const MAX_SOURCE_LENGTH = 262_144;
const MAX_STEPS = 200_000;
const MAX_INCLUDE_DEPTH = 8;
const LONG_QUALIFIED_NAME = /(?:\\\s*[\w\u0080-\uffff]+\s*){40}/u;

/** @throws BackupError `wp_config_unreadable`, naming the constant or the line. */
export function parseWpConfig(source: string, options: WpConfigOptions): WpConfig {
  const state = createPhpState(options.abspath === undefined ? {} : { ABSPATH: options.abspath });
  runFile(source, { options, state, file: options.file, depth: 0, work: { steps: 0 } });
  const read = (name: string, fallback?: string): string => required(name, state, options, fallback);
  const charset = optional(state.constants.get("DB_CHARSET"));
  const tablePrefix = optional(state.variables.get("table_prefix"));
  const contentDir = contentDirOf(state, options);
  const abspath = optional(state.constants.get("ABSPATH"));
  return {
    db: {
      name: read("DB_NAME"),
      user: read("DB_USER"),
      password: read("DB_PASSWORD"),
      host: read("DB_HOST", "localhost"),
      ...(charset === undefined ? {} : { charset }),
    },
    ...(tablePrefix === undefined ? {} : { tablePrefix }),
    ...(contentDir === undefined ? {} : { contentDir }),
    ...(abspath === undefined ? {} : { abspath }),
    constants: knownOf(state),
  };
}

function knownOf({ constants }: PhpState): WpConfig["constants"] {
  const known = new Map<string, string | number | boolean>();
  for (const [name, value] of constants) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      known.set(name, value);
    }
  }
  return known;
}

function required(name: string, state: PhpState, options: WpConfigOptions, fallback?: string): string {
  const value = state.constants.get(name);
  const text = value === undefined ? undefined : toText(value);
  if (typeof text === "string" && (text !== "" || name === "DB_PASSWORD")) return text;
  // The remedy that the error's hint names: a plain value in .env stands in for what cannot be worked out.
  const plain = options.env[name] ?? (text === undefined ? fallback : undefined);
  if (plain !== undefined) return plain;
  const why = text === undefined ? "it is not defined" : isUnknown(text) ? text.why : "it is empty";
  throw unreadable(options.file, `${name}: ${why}`);
}

function optional(value: PhpValue | undefined): string | undefined {
  const text = value === undefined ? undefined : toText(value);
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** A moved content directory that cannot be worked out must not silently become the default one. */
function contentDirOf(state: PhpState, options: WpConfigOptions): string | undefined {
  const value = state.constants.get("WP_CONTENT_DIR");
  if (!isUnknown(value)) return optional(value) ?? options.env["WP_CONTENT_DIR"];
  const plain = options.env["WP_CONTENT_DIR"];
  if (plain === undefined) throw unreadable(options.file, `WP_CONTENT_DIR: ${value.why}`);
  return plain;
}

function unreadable(file: string, what: string, cause?: unknown): BackupError {
  return new BackupError("wp_config_unreadable", { detail: `${file}: ${what}`, cause });
}

interface Run {
  readonly options: WpConfigOptions;
  readonly state: PhpState;
  readonly file: string;
  readonly depth: number;
  readonly work: { steps: number };
}

function parse(source: string, file: string): readonly PhpNode[] {
  if (source.length > MAX_SOURCE_LENGTH)
    throw unreadable(file, `it is larger than ${MAX_SOURCE_LENGTH} bytes`);
  if (LONG_QUALIFIED_NAME.test(source)) throw unreadable(file, "it has a name with more than 40 parts");
  const engine = new Engine({ parser: { extractDoc: false, suppressErrors: false }, ast: {} });
  try {
    const program: unknown = engine.parseCode(source, file);
    return isNode(program) ? nodesOf(program["children"]) : [];
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(file, "it is nested too deeply", error);
    const line =
      error instanceof Error && "lineNumber" in error ? ` on line ${String(error.lineNumber)}` : "";
    // The parser's own message quotes the source, which may be a password.
    throw unreadable(file, `it is not valid PHP${line}`);
  }
}

function runFile(source: string, run: Run): void {
  const scope = scopeOf(run);
  try {
    runAll(parse(source, run.file), scope, run);
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(run.file, "it is nested too deeply", error);
    throw error;
  }
}

function scopeOf(run: Run): PhpScope {
  const { state, options } = run;
  return {
    file: run.file,
    env: options.env,
    constant: (name) => state.constants.get(name),
    variable: (name) => state.variables.get(name),
    define: (name, value) => state.define(name, value),
    assign: (name, value) => state.assign(name, value),
    include: (node) => include(node, run),
    fileExists: (path) => options.include?.(path) !== undefined,
    maybe: (effects) => state.oneOf([effects, () => undefined]),
    step() {
      run.work.steps += 1;
      if (run.work.steps > MAX_STEPS) throw unreadable(run.file, "it is too complicated");
    },
  };
}

function include(node: PhpNode, run: Run): PhpValue {
  const target = evaluate(node["target"], scopeOf(run));
  if (typeof target !== "string") return undecidable("it is the value of an included file");
  // WordPress itself and Composer's autoloader set nothing that a backup needs.
  if (target.endsWith("/wp-settings.php") || target.includes("/vendor/")) return true;
  const path = target.startsWith("/") ? target : `${run.file.slice(0, run.file.lastIndexOf("/"))}/${target}`;
  const source = run.depth < MAX_INCLUDE_DEPTH ? run.options.include?.(path) : undefined;
  if (source !== undefined) runFile(source, { ...run, file: path, depth: run.depth + 1 });
  return true;
}

/** `true` once the file has ended by `return` or `exit`. */
function runAll(nodes: readonly PhpNode[], scope: PhpScope, run: Run): boolean {
  return nodes.some((node) => runStatement(node, scope, run));
}

function runBlock(node: unknown, scope: PhpScope, run: Run): boolean {
  if (!isNode(node)) return false;
  return node.kind === "block"
    ? runAll(nodesOf(node["children"]), scope, run)
    : runStatement(node, scope, run);
}

function runStatement(node: PhpNode, scope: PhpScope, run: Run): boolean {
  scope.step();
  switch (node.kind) {
    case "expressionstatement": {
      const { expression } = node;
      if (isNode(expression) && expression.kind === "exit") return true;
      evaluate(expression, scope);
      return false;
    }
    case "constantstatement":
      for (const constant of nodesOf(node["constants"])) {
        const name = isNode(constant["name"]) ? String(constant["name"]["name"]) : String(constant["name"]);
        if (scope.constant(name) === undefined) scope.define(name, evaluate(constant["value"], scope));
      }
      return false;
    case "if":
      return runIf(node, scope, run);
    case "namespace":
    case "block":
    case "declare":
      return runAll(nodesOf(node["children"]), scope, run);
    case "try":
      return runBlock(node["body"], scope, run);
    case "switch":
      runUndecided(nodesOf(isNode(node["body"]) ? node["body"]["children"] : []), scope, run);
      return false;
    case "for":
    case "foreach":
    case "while":
    case "do":
      runUndecided([node], scope, run);
      return false;
    case "return":
      return true;
    default:
      return false;
  }
}

function runIf(node: PhpNode, scope: PhpScope, run: Run): boolean {
  const test = truthy(evaluate(node["test"], scope));
  if (test === true) return runBlock(node["body"], scope, run);
  if (test === false) return runBlock(node["alternate"], scope, run);
  run.state.oneOf([
    () => void runBlock(node["body"], scope, run),
    () => void runBlock(node["alternate"], scope, run),
  ]);
  return false;
}

/** Cases and loops: each body may or may not run. */
function runUndecided(nodes: readonly PhpNode[], scope: PhpScope, run: Run): void {
  for (const node of nodes) scope.maybe(() => void runBlock(node["body"], scope, run));
}
