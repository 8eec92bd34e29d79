// The engine as the control side sees it: one function for each type of job, and what became of an upload that an
// earlier backup left open. Each loads what it needs when it is called: a runner that waits for work, or asks the Master
// for it, carries no storage client in its memory.
import type { Engine } from "./compose.ts";
import { startPackThread } from "./io/pack-thread.ts";

const loadBackup = (): Promise<typeof import("./run-backup.ts")> => import("./run-backup.ts");
const loadUploads = (): Promise<typeof import("./left-uploads.ts")> => import("./left-uploads.ts");

export const engine: Engine = {
  startPackThread,
  async load() {
    await loadBackup();
  },
  runBackup: async (job) => (await loadBackup()).runBackup(job),
  runJobs: {
    restore: async (job) => (await import("./restore-job.ts")).runRestoreJob(job),
    undo: async (job) => (await import("./undo-job.ts")).runUndoJob(job),
    verify: async (job) => (await import("./verify-job.ts")).runVerifyJob(job),
  },
  abortUpload: async (...args) => (await loadUploads()).abortLeftUpload(...args),
  uploadFate: async (...args) => (await loadUploads()).uploadFate(...args),
};
