// Calls in a configuration file: those that read or set something, and those of php-functions.ts that calculate.
import { callTextFunction, envWord } from "./php-functions.ts";
import type { PhpScope } from "./php-node.ts";
import { isUnknown, type PhpValue, undecidable, unset } from "./php-value.ts";

/** `name` in lower case, without its namespace. */
export function callFunction(name: string, values: readonly PhpValue[], scope: PhpScope): PhpValue {
  const first = values[0] ?? null;
  switch (name) {
    case "define":
      return define(first, values[1] ?? null, scope);
    case "defined":
      return typeof first === "string"
        ? isDefined(first, scope)
        : undecidable("defined() of something unknown");
    case "constant":
      return typeof first === "string"
        ? constant(first, scope)
        : undecidable("constant() of something unknown");
    case "getenv":
      return typeof first === "string" ? fromEnv(first, scope) : undecidable("getenv() of something unknown");
    case "env":
      return bedrockEnv(first, values[1], scope);
    case "getenv_docker":
      return withDefault(first, values[1], scope);
    case "file_exists":
    case "is_file":
    case "is_readable":
      return typeof first === "string" ? scope.fileExists(first) : undecidable(`it needs ${name}()`);
    case "function_exists":
    case "class_exists":
      return undecidable(`it needs ${name}()`);
    default:
      return callTextFunction(name, values) ?? undecidable(`it needs the function ${name}()`);
  }
}

/** Bedrock's `Config::define('DB_NAME', …)` and `Config::get('CONTENT_DIR')`; `method` in lower case. */
export function callConfig(method: string, values: readonly PhpValue[], scope: PhpScope): PhpValue {
  const [name, value = null] = values;
  if (method === "define") {
    if (typeof name === "string") scope.define(name, value);
    return true;
  }
  if (method === "get" && typeof name === "string") return constant(name, scope);
  return undecidable(`it calls Config::${method}()`);
}

export function constant(name: string, scope: PhpScope): PhpValue {
  if (name === "DIRECTORY_SEPARATOR") return "/";
  return scope.constant(name) ?? undecidable(`the constant ${name} is not known`);
}

export function fromEnv(name: string, scope: PhpScope): PhpValue {
  return Object.hasOwn(scope.env, name)
    ? (scope.env[name] ?? null)
    : unset(`the environment variable ${name} is not known to backupd`);
}

function define(name: PhpValue, value: PhpValue, scope: PhpScope): PhpValue {
  if (typeof name !== "string") return undecidable("it defines something unknown");
  // The first define() of a constant holds; PHP only warns about later ones.
  if (scope.constant(name) === undefined) scope.define(name, value);
  return true;
}

function isDefined(name: string, scope: PhpScope): PhpValue {
  return scope.constant(name) !== undefined;
}

function withDefault(name: PhpValue, fallback: PhpValue | undefined, scope: PhpScope): PhpValue {
  if (typeof name !== "string") return undecidable("it reads an unknown environment variable");
  const value = fromEnv(name, scope);
  return isUnknown(value) && fallback !== undefined ? fallback : value;
}

function bedrockEnv(name: PhpValue, fallback: PhpValue | undefined, scope: PhpScope): PhpValue {
  const value = withDefault(name, fallback, scope);
  return typeof value === "string" ? envWord(value) : value;
}
