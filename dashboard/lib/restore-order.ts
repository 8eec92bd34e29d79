// What the restore dialog's choices mean as the API's request. Pure, because a wrong one replaces somebody's site.
import type { BodyInput } from "#shared/operations.ts";

export const WHATS = ["all", "db", "files", "config", "paths"] as const;
export type What = (typeof WHATS)[number];

export interface RestoreDraft {
  readonly what: What;
  /** As named in the archive; used with `paths` only. */
  readonly paths: readonly string[];
  readonly where: "site" | "directory";
  /** Absolute, on the node; used with `directory` only. */
  readonly directory: string;
  /** Empty: the site keeps its address. */
  readonly newUrl: string;
}

export function restoreOrder(draft: RestoreDraft, isDryRun: boolean): BodyInput<"restoreBackup"> {
  const { what, paths, where, directory, newUrl } = draft;
  return {
    ...(what === "db" || what === "files" || what === "config" ? { only: [what] } : {}),
    ...(what === "paths" ? { paths: [...paths] } : {}),
    ...(where === "directory" ? { to: directory.trim() } : {}),
    ...(mayChangeUrl(draft) && newUrl.trim() !== "" ? { new_url: newUrl.trim() } : {}),
    dry_run: isDryRun,
  };
}

/** The address is in the database of a site; elsewhere there is nothing to rewrite. */
export function mayChangeUrl({ what, where }: Pick<RestoreDraft, "what" | "where">): boolean {
  return where === "site" && (what === "all" || what === "db");
}

/** Only this replaces something that is in use. */
export function isInPlace({ where }: Pick<RestoreDraft, "where">): boolean {
  return where === "site";
}

export function isComplete({ what, paths, where, directory }: RestoreDraft): boolean {
  return (
    (what !== "paths" || paths.length > 0) && (where !== "directory" || /^\/[^/]/.test(directory.trim()))
  );
}
