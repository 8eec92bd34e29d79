// Works out what an expression in a configuration file evaluates to, from its syntax tree alone: site code may be
// hostile and is never run. Everything not understood is `Unknown`, never a guess.
import { callConfig, callFunction, constant, fromEnv } from "./php-call.ts";
import { parentDirectory } from "./php-functions.ts";
import { isNode, nodesOf, type PhpNode, type PhpScope, shortName } from "./php-node.ts";
import {
  concat,
  equal,
  isArray,
  isUnknown,
  lookUp,
  type PhpValue,
  toText,
  truthy,
  undecidable,
} from "./php-value.ts";

export function evaluate(node: unknown, scope: PhpScope): PhpValue {
  if (!isNode(node)) return null;
  scope.step();
  const rule = RULES.get(node.kind);
  return rule === undefined ? undecidable(`it needs PHP to run (${node.kind})`) : rule(node, scope);
}

type Rule = (node: PhpNode, scope: PhpScope) => PhpValue;

const literal: Rule = (node) => {
  const { value } = node;
  return typeof value === "string" || typeof value === "boolean" ? value : undecidable("it is not plain");
};

const RULES = new Map<string, Rule>([
  ["string", literal],
  ["boolean", literal],
  ["nowdoc", literal],
  ["number", (node) => Number(node["value"])],
  ["nullkeyword", () => null],
  ["magic", magic],
  ["name", (node, scope) => constant(shortName(String(node["name"])), scope)],
  ["variable", variable],
  ["encapsed", interpolate],
  ["encapsedpart", (node, scope) => evaluate(node["expression"], scope)],
  ["bin", binary],
  ["retif", ternary],
  ["unary", unary],
  ["cast", cast],
  ["parenthesis", (node, scope) => evaluate(node["inner"], scope)],
  ["silent", (node, scope) => evaluate(node["expr"], scope)],
  ["isset", (node, scope) => isSet(nodesOf(node["variables"]), scope)],
  ["empty", (node, scope) => negate(evaluate(node["expression"], scope))],
  ["array", arrayLiteral],
  ["offsetlookup", (node, scope) => lookUpIn(node, scope)],
  ["propertylookup", (node, scope) => lookUpIn(node, scope)],
  ["nullsafepropertylookup", (node, scope) => lookUpIn(node, scope)],
  ["identifier", (node) => String(node["name"])],
  ["assign", assignment],
  ["call", call],
  ["include", (node, scope) => scope.include(node)],
]);

function magic(node: PhpNode, scope: PhpScope): PhpValue {
  if (node["value"] === "__DIR__") return parentDirectory(scope.file);
  return node["value"] === "__FILE__" ? scope.file : undecidable(`it needs ${String(node["value"])}`);
}

function variable(node: PhpNode, scope: PhpScope): PhpValue {
  const name = node["name"];
  if (typeof name !== "string") return undecidable("it needs a variable variable");
  if (name === "_ENV" || name === "_SERVER") return new Map(Object.entries(scope.env));
  return scope.variable(name) ?? undecidable(`the variable $${name} is not known`);
}

function interpolate(node: PhpNode, scope: PhpScope): PhpValue {
  return nodesOf(node["value"]).reduce<PhpValue>((text, part) => concat(text, evaluate(part, scope)), "");
}

function binary(node: PhpNode, scope: PhpScope): PhpValue {
  const left = evaluate(node["left"], scope);
  const right = (): PhpValue => evaluate(node["right"], scope);
  switch (node["type"]) {
    case ".":
      return concat(left, right());
    case "??":
      return left === null || (isUnknown(left) && left.unknown === "unset") ? right() : left;
    case "||":
    case "or":
      return shortCircuit(truthy(left), true, right, scope);
    case "&&":
    case "and":
      return shortCircuit(truthy(left), false, right, scope);
    case "==":
    case "===":
      return compare(equal(left, right()));
    case "!=":
    case "!==":
      return negate(compare(equal(left, right())));
    default:
      return undecidable(`it needs the operator ${String(node["type"])}`);
  }
}

function compare(same: boolean | undefined): PhpValue {
  return same ?? undecidable("it compares values that are not known");
}

/** `a || b` ends at a true `a`, `a && b` at a false one: `decisive` is what ends it. */
function shortCircuit(
  left: boolean | undefined,
  decisive: boolean,
  right: () => PhpValue,
  scope: PhpScope,
): PhpValue {
  if (left === decisive) return decisive;
  if (left !== undefined) return truthy(right()) ?? undecidable("it depends on a value that is not known");
  scope.maybe(() => void right());
  return undecidable("it depends on a value that is not known");
}

function ternary(node: PhpNode, scope: PhpScope): PhpValue {
  const test = evaluate(node["test"], scope);
  const decided = truthy(test);
  if (decided === undefined) {
    return isUnknown(test) ? test : undecidable("it depends on a value that is not known");
  }
  if (!decided) return evaluate(node["falseExpr"], scope);
  return isNode(node["trueExpr"]) ? evaluate(node["trueExpr"], scope) : test;
}

function negate(value: PhpValue): PhpValue {
  const decided = truthy(value);
  return decided === undefined ? value : !decided;
}

function unary(node: PhpNode, scope: PhpScope): PhpValue {
  const value = evaluate(node["what"], scope);
  if (node["type"] === "!") return negate(value);
  if (typeof value !== "number") return undecidable(`it needs the operator ${String(node["type"])}`);
  return node["type"] === "-" ? -value : value;
}

function cast(node: PhpNode, scope: PhpScope): PhpValue {
  const value = evaluate(node["expr"], scope);
  switch (node["type"]) {
    case "string":
      return toText(value);
    case "bool":
    case "boolean":
      return truthy(value) ?? value;
    case "int":
    case "integer":
      return isUnknown(value) || isArray(value) ? value : Number.parseInt(String(value), 10) || 0;
    case "object":
    case "array":
      return value;
    default:
      return undecidable(`it needs a cast to ${String(node["type"])}`);
  }
}

function isSet(variables: readonly PhpNode[], scope: PhpScope): PhpValue {
  for (const node of variables) {
    const value =
      node.kind === "variable" && typeof node["name"] === "string" && !node["name"].startsWith("_")
        ? (scope.variable(node["name"]) ?? null)
        : evaluate(node, scope);
    if (value === null || (isUnknown(value) && value.unknown === "unset")) return false;
    if (isUnknown(value)) return value;
  }
  return true;
}

function arrayLiteral(node: PhpNode, scope: PhpScope): PhpValue {
  const items = new Map<string, PhpValue>();
  for (const item of nodesOf(node["items"])) {
    const key = isNode(item["key"]) ? toText(evaluate(item["key"], scope)) : String(items.size);
    if (isUnknown(key) || item["unpack"] === true) return undecidable("an array in it is not plain");
    items.set(key, evaluate(item["value"], scope));
  }
  return items;
}

function lookUpIn(node: PhpNode, scope: PhpScope): PhpValue {
  const container = evaluate(node["what"], scope);
  const key = evaluate(node["offset"], scope);
  if (isNode(node["what"]) && (node["what"]["name"] === "_ENV" || node["what"]["name"] === "_SERVER")) {
    const name = toText(key);
    return isUnknown(name) ? name : fromEnv(name, scope);
  }
  return lookUp(container, key);
}

function assignment(node: PhpNode, scope: PhpScope): PhpValue {
  const { left, operator } = node;
  const right = (): PhpValue => evaluate(node["right"], scope);
  const name = assignedName(left, scope);
  if (name === undefined) return right();
  const before = scope.variable(name) ?? null;
  const keepsOld = operator === "??=" && before !== null && !isUnknown(before);
  const value = operator === ".=" ? concat(before, right()) : keepsOld ? before : right();
  scope.assign(name, ["=", ".=", "??="].includes(String(operator)) ? value : undecidable("it is calculated"));
  return value;
}

function assignedName(left: unknown, scope: PhpScope): string | undefined {
  if (!isNode(left)) return undefined;
  if (left.kind === "variable" && typeof left["name"] === "string") return left["name"];
  // `$GLOBALS['table_prefix'] = …`: at the top level that is the variable itself.
  const { what, offset } = left;
  if (left.kind !== "offsetlookup" || !isNode(what) || typeof what["name"] !== "string") return undefined;
  if (what["name"] === "GLOBALS") {
    const key = evaluate(offset, scope);
    return typeof key === "string" ? key : undefined;
  }
  scope.assign(what["name"], undecidable(`$${what["name"]} is an array that is changed in place`));
  return undefined;
}

function call(node: PhpNode, scope: PhpScope): PhpValue {
  const { what } = node;
  if (!isNode(what)) return undecidable("it calls a function");
  const values = nodesOf(node["arguments"]).map((arg) => evaluate(arg, scope));
  if (what.kind === "name") return callFunction(shortName(String(what["name"])).toLowerCase(), values, scope);
  const owner = isNode(what["what"]) ? shortName(String(what["what"]["name"])) : "";
  const method = isNode(what["offset"]) ? String(what["offset"]["name"]).toLowerCase() : "";
  if (what.kind === "staticlookup" && owner === "Config") return callConfig(method, values, scope);
  return undecidable("it calls a function");
}
