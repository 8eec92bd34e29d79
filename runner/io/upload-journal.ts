// The multipart uploads that are open right now, one small file each, so that a start after a crash can abort
// what the dead process left behind: the node may not list uploads, and parts of unknown uploads cost money.
import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "./atomic-file.ts";

export const OpenUpload = z.object({
  job_id: z.string(),
  bucket: z.string(),
  key: z.string(),
  upload_id: z.string(),
  opened_at: z.string(),
});
export type OpenUpload = z.infer<typeof OpenUpload>;

export interface UploadJournal {
  /** Durable when it resolves; call it right after CreateMultipartUpload has answered. */
  opened(upload: OpenUpload): Promise<void>;
  /** After CompleteMultipartUpload or AbortMultipartUpload. */
  closed(upload: OpenUpload): Promise<void>;
  list(): Promise<OpenUpload[]>;
}

/** `dir` is `<state-dir>/uploads`. One upload at a time per job, so the job names the file. */
export function openUploadJournal(dir: string): UploadJournal {
  const fileOf = (jobId: string): string => join(dir, `${jobId}.json`);
  return {
    opened: (upload) => writeFileAtomic(fileOf(upload.job_id), JSON.stringify(upload)),
    async closed(upload) {
      await unlink(fileOf(upload.job_id)).catch(ignoreMissing);
    },
    async list() {
      const names = (await readdir(dir)).filter((name) => name.endsWith(".json"));
      const uploads: OpenUpload[] = [];
      for (const name of names) {
        const parsed = OpenUpload.safeParse(parseJson(await readFile(join(dir, name), "utf8")));
        // Written atomically, so only a damaged disk gets here; the bucket's own rule removes that upload.
        if (parsed.success) uploads.push(parsed.data);
      }
      return uploads;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
