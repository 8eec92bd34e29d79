// An enrolled node with a site and a finished backup on a real Master, and a daemon that runs until it has logged
// something: what the tests of jobs that are no backups share.
import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { composeRunner } from "#runner/compose.ts";
import type { JobRuns } from "#runner/context.ts";
import { runDaemon } from "#runner/daemon.ts";
import { enroll } from "#runner/enroll.ts";
import { tokenSigner } from "#runner/io/identity.ts";
import { createMasterClient } from "#runner/io/master-client.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import type { UploadFate } from "#runner/settle-uploads.ts";
import type { Archive } from "#shared/contracts/backups.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { apiClient } from "#test/helpers/api-client.ts";
import { type FinishedBackup, finishBackup } from "#test/helpers/finished-backup.ts";
import type { Master } from "#test/helpers/master.ts";
import { type RecordedLog, recordedLog, tempDir } from "./harness.ts";

export interface JobRig extends AsyncDisposable {
  readonly dir: string;
  readonly site: Site;
  readonly backup: FinishedBackup;
  readonly log: RecordedLog;
  /** Runs the daemon until it has sent a report; `meanwhile` runs beside it. */
  work(runJobs: JobRuns, meanwhile?: () => Promise<unknown>): Promise<void>;
  jobOf(id: string): Promise<Job>;
  /** Into the node's queue. */
  send(message: unknown): Promise<void>;
}

const now = (): Date => new Date();

export async function startJobRig(
  master: Master,
  content: { body?: Uint8Array; archive?: Partial<Archive> } = {},
): Promise<JobRig> {
  const temp = await tempDir();
  const stateDir = join(temp.path, "state");
  const log = recordedLog();
  const { token } = await master.admin.call("createEnrollmentToken", { body: {} });
  const client = createMasterClient({ masterUrl: master.url, now, timeoutMs: 5_000, userAgent: "test" });
  const request = { masterUrl: master.url, token, name: "node", force: false };
  const state = await openStateDir(stateDir);
  const identity = await enroll(request, { state, master: client, now, version: "0" });
  const site = await master.createSite(identity.node_id);
  const node = { client: apiClient(master.url, tokenSigner(identity, now)) };
  const backup = await finishBackup(master, node, site.id, content);
  return {
    dir: temp.path,
    site,
    backup,
    log,
    async work(runJobs, meanwhile) {
      const stop = new AbortController();
      const runBackup = () => Promise.reject(new Error("no backup was asked for"));
      const uploadFate = async (): Promise<UploadFate> => ({ kind: "open" });
      const engine = { runBackup, abortUpload: async () => undefined, uploadFate, runJobs };
      const settings = { stateDir, logFormat: undefined, logLevel: "debug" as const, siteRoots: [] };
      const parts = { settings, engine, log: log.log, version: "0.0.0", stop: stop.signal };
      const running = runDaemon(stop.signal, (await composeRunner(parts)).daemon);
      await meanwhile?.();
      await log.until("outbox.sent");
      stop.abort(new BackupError("interrupted"));
      await running;
    },
    jobOf: (id) => master.admin.call("getJob", { id }),
    async send(message) {
      const QueueUrl = String((await node.client.call("getNodeConfig")).queue.url);
      await master.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}
