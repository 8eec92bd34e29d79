// One page of a list as the API gives it, from one Query of ElectroDB.
import { BackupError } from "#shared/errors.ts";
import { openCursor, sealCursor } from "../core/cursor.ts";

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  readonly next_cursor: string | null;
}

interface Queryable<T> {
  go(options: {
    limit: number;
    cursor: string | null;
    order: "asc" | "desc";
  }): Promise<{ data: T[]; cursor: string | null }>;
}

/** Reads at most `limit` items, newest first. `list` names the query with its filter, to bind the cursor to it. */
export async function readPage<T>(list: string, query: Queryable<T>, page: PageRequest): Promise<Page<T>> {
  const cursor = page.cursor === undefined ? null : openCursor(list, page.cursor);
  try {
    const result = await query.go({ limit: page.limit, cursor, order: "desc" });
    return {
      items: result.data,
      next_cursor: result.cursor === null ? null : sealCursor(list, result.cursor),
    };
  } catch (error) {
    if (cursor === null || !causedByStartKey(error)) throw error;
    throw new BackupError("invalid_request", {
      detail: "cursor is not a cursor of this list.",
      cause: error,
    });
  }
}

function causedByStartKey(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "ValidationException") return /start/i.test(error.message);
  return causedByStartKey(error.cause);
}
