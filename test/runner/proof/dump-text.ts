// A database's dump as the product makes it, as text that a test can change.
import { join } from "node:path";
import { dumpDatabase } from "#runner/io/dump.ts";
import { probeDatabase } from "#runner/io/mysql-client.ts";
import { keepSafetyDump, openSafetyDump } from "#runner/io/restore/safety-dump.ts";
import type { SiteDatabase } from "#runner/io/site.ts";

/** `dir`: for what is kept meanwhile. */
export async function dumpText(db: SiteDatabase, dir: string): Promise<string> {
  const signal = new AbortController().signal;
  const facts = await probeDatabase(db, { signal });
  await using made = await dumpDatabase(db, { facts, spoolDir: dir, frameBytes: 65_536, signal });
  const kept = await keepSafetyDump(made, join(dir, "dump.zst"));
  const pieces: Uint8Array[] = [];
  for await (const piece of openSafetyDump(kept).bytes()) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}
