// Cursors of lists: opaque to callers, and bound to the list and filter they came from. The check value catches
// mix-ups and edits; it is no secret, because a cursor only says where a query that is allowed anyway goes on.
import { createHash } from "node:crypto";
import { BackupError } from "#shared/errors.ts";

export function sealCursor(list: string, raw: string): string {
  return `${checkValue(list, raw)}${Buffer.from(raw).toString("base64url")}`;
}

/** Throws `invalid_request` for anything that `sealCursor` did not make for the same list. */
export function openCursor(list: string, cursor: string): string {
  const raw = Buffer.from(cursor.slice(CHECK_CHARS), "base64url").toString("utf8");
  if (sealCursor(list, raw) === cursor) return raw;
  const issue = { path: "cursor", message: "is not a cursor of this list" };
  throw new BackupError("invalid_request", { detail: `cursor ${issue.message}.`, data: { issues: [issue] } });
}

const CHECK_CHARS = 12;

function checkValue(list: string, raw: string): string {
  return createHash("sha256").update(`${list}\n${raw}`).digest("base64url").slice(0, CHECK_CHARS);
}
