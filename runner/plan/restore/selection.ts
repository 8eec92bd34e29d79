// What of a backup is to be restored into a site, from what an operator asked for.
import type { RestorePart } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { type ByteString, fromUtf8 } from "../byte-string.ts";

export interface RestoreWish {
  readonly only?: readonly RestorePart[] | undefined;
  /** As named in the archive. */
  readonly paths: readonly string[];
}

export interface Selection {
  readonly db: boolean;
  readonly config: boolean;
  /** All of wp-content, or these paths below it; [] is nothing. */
  readonly content: "all" | readonly (readonly ByteString[])[];
}

const PARTS: readonly RestorePart[] = ["db", "files", "config"];

/** @throws BackupError `invalid_request`. */
export function selectionOf({ only, paths }: RestoreWish): Selection {
  if (paths.length === 0) {
    const parts = only ?? PARTS;
    return {
      db: parts.includes("db"),
      config: parts.includes("config"),
      content: parts.includes("files") ? "all" : [],
    };
  }
  if (only !== undefined) throw invalid("Say either which parts (only) or which paths, not both");
  const names = paths.map(partsOf);
  const content = names.filter(([first]) => first === "wp-content").map((parts) => parts.slice(1));
  for (const parts of names) {
    const name = parts.join("/");
    if (parts[0] === "wp-content" || name === "wp-config.php" || name === "database.sql") continue;
    throw invalid(
      `${name} is in no backup: paths begin with wp-content/, or are wp-config.php or database.sql`,
    );
  }
  return {
    db: names.some((parts) => parts[0] === "database.sql"),
    config: names.some((parts) => parts[0] === "wp-config.php"),
    content: content.some((parts) => parts.length === 0) ? "all" : outermost(content),
  };
}

function partsOf(path: string): ByteString[] {
  const parts = fromUtf8(path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "")).split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw invalid(`${path} is not a path within a backup`);
  }
  return parts;
}

/** Without those that lie in another one. */
function outermost(paths: readonly (readonly ByteString[])[]): (readonly ByteString[])[] {
  const sorted = [...paths].sort((left, right) => left.length - right.length);
  const kept: (readonly ByteString[])[] = [];
  for (const path of sorted) {
    const isCovered = kept.some((outer) => outer.every((part, index) => path[index] === part));
    if (!isCovered) kept.push(path);
  }
  return kept;
}

/** The same in the words of an extraction. */
export function extractionOf({ db, config, content }: Selection): {
  readonly only: readonly RestorePart[];
  readonly paths: readonly ByteString[];
} {
  const only = PARTS.filter((part) => (part === "db" ? db : part === "config" ? config : content === "all"));
  const paths = content === "all" ? [] : content.map((parts) => ["wp-content", ...parts].join("/"));
  return { only, paths };
}

function invalid(detail: string): BackupError {
  return new BackupError("invalid_request", { detail });
}
