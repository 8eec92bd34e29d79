// Values for a JSON schema, as OpenAPI documents carry it: some that fit, and some that are spoilt at one place.
import fc from "fast-check";

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly format?: string;
}

type Json = fc.Arbitrary<unknown>;

/** What exists is worth more than anything that is made up. */
export interface Known {
  readonly ids: readonly string[];
  /** By a field's name, for what no schema tells how to make. */
  readonly values: Readonly<Record<string, unknown>>;
}

export function fitting(schema: JsonSchema, known: Known): Json {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => fitting(choice, known)));
  if (schema.allOf !== undefined) {
    return fc
      .tuple(...schema.allOf.map((part) => fitting(part, known)))
      .map((parts) => Object.assign({}, ...parts) as unknown);
  }
  const { type } = schema;
  if (Array.isArray(type))
    return fc.oneof(...type.map((one) => fitting({ ...schema, type: String(one) }, known)));
  if (type === "object") return object(schema, known);
  if (type === "array") return array(schema, known);
  if (type === "string") return text(schema, known);
  if (type === "integer") return fc.integer(bounds(schema));
  if (type === "number") return fc.double({ ...bounds(schema), noNaN: true, noDefaultInfinity: true });
  if (type === "boolean") return fc.boolean();
  if (type === "null") return fc.constant(null);
  return fc.jsonValue();
}

/** Fits, but for one place below it that has something else, or nothing, or more than it should. */
export function spoilt(schema: JsonSchema, known: Known): Json {
  return fc
    .tuple(fitting(schema, known), fc.nat(), anythingOdd)
    .map(([value, place, odd]) => spoil(structuredClone(value), place, odd));
}

/** What careless and hostile callers send: wrong types, limits, and text that breaks things. */
export const anythingOdd: Json = fc.oneof(
  fc.constantFrom<unknown[]>(
    ...[null, "", 0, -1, 1.5, 2 ** 53, -(2 ** 63), 1e308, true, [], {}, [[]]],
    ...["\0", "\u202e", "\ud800", "a\nb", "../../etc/passwd", "%2e%2e%2f", "%00", "' OR 1=1 --"],
    ...["2030-13-45T99:99:99Z", "9999999999999999999999", "x".repeat(10_000), "__proto__", "constructor"],
  ),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.jsonValue({ maxDepth: 3 }),
);

function object(schema: JsonSchema, known: Known): Json {
  const { properties = {}, required = [], additionalProperties } = schema;
  const names = Object.keys(properties);
  if (names.length === 0 && typeof additionalProperties === "object") {
    return fc.dictionary(fc.string({ maxLength: 20 }), fitting(additionalProperties, known), { maxKeys: 5 });
  }
  const fields = Object.fromEntries(names.map((name) => [name, field(name, properties[name] ?? {}, known)]));
  return fc.record(fields, { requiredKeys: names.filter((name) => required.includes(name)) });
}

function field(name: string, schema: JsonSchema, known: Known): Json {
  const made = fitting(schema, known);
  if (!Object.hasOwn(known.values, name)) return made;
  return fc.oneof({ weight: 4, arbitrary: fc.constant(known.values[name]) }, { weight: 1, arbitrary: made });
}

function array({ items = {}, minItems = 0, maxItems = 5 }: JsonSchema, known: Known): Json {
  return fc.array(fitting(items, known), {
    minLength: minItems,
    maxLength: Math.min(maxItems, minItems + 5),
  });
}

function text({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema, known: Known): Json {
  const id = known.ids.length === 0 ? fc.uuid() : fc.oneof(fc.constantFrom(...known.ids), fc.uuid());
  if (format === "uuid") return id;
  if (format === "date-time")
    return fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString());
  if (format === "uri") return fc.webUrl();
  if (format === "email") return fc.emailAddress();
  if (pattern !== undefined) return matching(pattern, Math.max(maxLength, 64));
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 40) });
}

const made = new Map<string, Json>();

/** Kept: all of Unicode but its control characters takes seconds to make. */
function matching(pattern: string, maxLength: number): Json {
  const name = `${maxLength} ${pattern}`;
  const known = made.get(name) ?? fc.stringMatching(new RegExp(pattern, "u"), { maxLength });
  made.set(name, known);
  return known;
}

function bounds({ minimum, maximum, exclusiveMinimum }: JsonSchema): { min: number; max: number } {
  const least = minimum ?? (exclusiveMinimum === undefined ? -(2 ** 31) : exclusiveMinimum + 1);
  return { min: Math.max(least, -(2 ** 31)), max: Math.min(maximum ?? 2 ** 31 - 1, 2 ** 31 - 1) };
}

function spoil(value: unknown, place: number, odd: unknown): unknown {
  if (typeof value !== "object" || value === null) return odd;
  const keys = Object.keys(value);
  const at = place % (keys.length + 2);
  const holder = value as Record<string, unknown>;
  const key = keys[at];
  if (key === undefined) {
    if (at === keys.length) holder["surplus"] = odd;
    else delete holder[keys[0] ?? ""];
  } else {
    const deeper = Math.floor(place / (keys.length + 2));
    holder[key] = deeper % 2 === 0 ? odd : spoil(holder[key], Math.floor(deeper / 2), odd);
  }
  return value;
}
