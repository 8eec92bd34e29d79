// How each site's last job on this node ended, for `backupd status`: readable also when the Master is not.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { BackupReport } from "#shared/contracts/backups.ts";
import { writeFileAtomic } from "./atomic-file.ts";

const LastResult = z.object({
  site_id: z.string(),
  site_name: z.string(),
  job_id: z.string(),
  status: z.enum(["success", "failed", "skipped", "cancelled"]),
  finished_at: z.string(),
  size_bytes: z.number().optional(),
  s3_path: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  reason: z.string().optional(),
});
export type LastResult = z.infer<typeof LastResult>;

export async function writeLastResult(dir: string, report: BackupReport, siteName: string): Promise<void> {
  // The schema keeps its own fields only, whatever else this kind of report carries.
  const last = LastResult.parse({ ...report, site_name: siteName });
  await writeFileAtomic(join(dir, `${report.site_id}.json`), JSON.stringify(last));
}

/** Newest first. */
export async function readLastResults(dir: string): Promise<LastResult[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith(".json"));
  const results: LastResult[] = [];
  for (const name of names) {
    const text = await readFile(join(dir, name), "utf8");
    results.push(LastResult.parse(JSON.parse(text)));
  }
  return results.sort((a, b) => (a.finished_at < b.finished_at ? 1 : -1));
}
