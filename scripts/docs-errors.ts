// Writes docs/ERRORS.md from the error table, so that the page operators look codes up in cannot go stale.
// `npm run docs` runs it; a unit test fails when the page and the table differ.
import { writeFileSync } from "node:fs";
import { ERROR_CODES, ERROR_KINDS } from "#shared/error-kinds.ts";

const RETRY = {
  now: "by itself, at once",
  later: "by itself, after a while",
  never: "after somebody changed something",
} as const;

export function errorsPage(): string {
  const rows = [...ERROR_CODES].sort().map((code) => {
    const kind = ERROR_KINDS[code];
    return `| \`${code}\` | ${kind.status} | ${RETRY[kind.retry]} | ${kind.title} | ${kind.hint} |`;
  });
  return [
    "# Errors",
    "",
    "Made from `shared/error-kinds.ts` by `npm run docs`; do not edit.",
    "",
    "Every error has a stable `code`. The API answers with `application/problem+json` (RFC 9457): `code`, `title`,",
    "`status`, `detail`, `hint`, `retry` and `request_id`. A job that failed carries `error: {code, message, hint}`.",
    "The HTTP status is the one the Master answers with; codes that only a node reports have 500 and never reach the wire.",
    "",
    "| code | HTTP | trying again helps | what it means | what to do |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync(new URL("../docs/ERRORS.md", import.meta.url), errorsPage());
