// The values that a wp-config.php can be known to hold without running PHP, and PHP's own rules for turning one
// into another. What cannot be known stays in the calculation as `Unknown` with its reason, so that the operator
// is told why DB_NAME has no value rather than that it has none.

/** `unset`: an environment variable that nobody gave us (PHP would see nothing); `undecidable`: needs running PHP. */
export interface Unknown {
  readonly unknown: "unset" | "undecidable";
  readonly why: string;
}
export type PhpArray = ReadonlyMap<string, PhpValue>;
export type PhpValue = string | number | boolean | null | PhpArray | Unknown;

/** Stops `$a .= $a` from filling the memory; no path or password comes near it. */
const MAX_STRING_LENGTH = 65_536;

export function undecidable(why: string): Unknown {
  return { unknown: "undecidable", why };
}

export function unset(why: string): Unknown {
  return { unknown: "unset", why };
}

export function isUnknown(value: PhpValue | undefined): value is Unknown {
  return typeof value === "object" && value !== null && "unknown" in value;
}

export function isArray(value: PhpValue | undefined): value is PhpArray {
  return value instanceof Map;
}

/** PHP's `(bool)`; undefined if it cannot be known. An unset variable is falsy, as `getenv()`'s false is. */
export function truthy(value: PhpValue): boolean | undefined {
  if (isUnknown(value)) return value.unknown === "unset" ? false : undefined;
  if (isArray(value)) return value.size > 0;
  return !(value === null || value === false || value === "" || value === "0" || value === 0);
}

/** PHP's `(string)`. */
export function toText(value: PhpValue): string | Unknown {
  if (isUnknown(value)) return value;
  if (isArray(value)) return undecidable("it is an array");
  if (value === null || value === false) return "";
  return value === true ? "1" : String(value);
}

export function concat(left: PhpValue, right: PhpValue): PhpValue {
  const [head, tail] = [toText(left), toText(right)];
  if (isUnknown(head)) return head;
  if (isUnknown(tail)) return tail;
  if (head.length + tail.length > MAX_STRING_LENGTH) return undecidable("a string in it grows too long");
  return head + tail;
}

/** `===`, and `==` where both sides are of one type; comparing across types is left undecided. */
export function equal(left: PhpValue, right: PhpValue): boolean | undefined {
  if (isUnknown(left) || isUnknown(right) || isArray(left) || isArray(right)) return undefined;
  return typeof left === typeof right ? left === right : undefined;
}

export function lookUp(container: PhpValue, key: PhpValue): PhpValue {
  if (isUnknown(container)) return container;
  const name = toText(key);
  if (isUnknown(name)) return name;
  return (isArray(container) ? container.get(name) : undefined) ?? null;
}
