// Requests that began before the maintenance page was up still look at the old tables and files: they are given the time
// to end before either changes, so that nobody is answered from half of each.
import { setTimeout as delay } from "node:timers/promises";
import { askDatabase } from "../mysql-client.ts";
import type { SiteDatabase } from "../site.ts";

/** WordPress looks for the maintenance file before it opens its connection, and closes that when the page is done. */
const OPEN = `SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()`;
const LOOK_EVERY_MS = 100;
/** Persistent connections and workers never end. */
const MOST_MS = 5_000;

/** Resolves when the site's user has no connection to its database, or after some seconds. @throws the signal's reason. */
export async function drainVisitors(db: SiteDatabase, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + MOST_MS;
  do {
    await delay(LOOK_EVERY_MS);
    signal.throwIfAborted();
  } while (performance.now() < deadlineMs && (await hasVisitors(db, signal)));
}

async function hasVisitors(db: SiteDatabase, signal: AbortSignal): Promise<boolean> {
  try {
    return (await askDatabase(db, OPEN, signal)).trim() !== "0";
  } catch {
    signal.throwIfAborted();
    return false; // Nobody is served from a database that does not answer; what needs it says so.
  }
}
