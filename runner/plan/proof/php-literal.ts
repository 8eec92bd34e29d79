// Values as PHP source. Pure.

export type PhpScalar = string | number | boolean;

/** In single quotes nothing is expanded. */
export function phpLiteral(value: PhpScalar): string {
  if (typeof value === "string") return `'${value.replace(/[\\']/g, "\\$&")}'`;
  return typeof value === "number" && !Number.isFinite(value) ? "0" : String(value);
}
