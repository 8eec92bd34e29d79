// The details of a change as people read them: the name first, sizes and times with their units, and no JSON.
import { bytes, duration } from "./format.ts";
import { inWords } from "./schedule-words.ts";

/** Pairs of a name and its value in words; ids are for programs, and the row's link leads to what they mean. */
export function detailsInWords(details: Readonly<Record<string, unknown>>): [name: string, words: string][] {
  return Object.entries(details)
    .filter(([name]) => !name.endsWith("_id"))
    .sort(([a], [b]) => Number(b === "name") - Number(a === "name") || a.localeCompare(b))
    .map(([name, value]) => [nameInWords(name), valueInWords(name, value)]);
}

function nameInWords(name: string): string {
  return name.replace(/_(bytes|seconds|minutes|days)$/, "").replaceAll("_", " ");
}

function valueInWords(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return numberInWords(name, value);
  if (typeof value === "string") return name === "expression" ? inWords(value) : value;
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((each) => valueInWords(name, each)).join(", ");
  const parts = detailsInWords(value as Record<string, unknown>);
  return parts.length === 0 ? "none" : parts.map(([part, words]) => `${part} ${words}`).join(", ");
}

function numberInWords(name: string, value: number): string {
  if (name.endsWith("_bytes")) return bytes(value);
  if (name.endsWith("_seconds")) return duration(value);
  const unit = /_(minutes|days)$/.exec(name)?.[1];
  return `${value.toLocaleString("en")}${unit === undefined ? "" : ` ${unit}`}`;
}
