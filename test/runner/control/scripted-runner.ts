// A whole backupd in a process of its own, with an engine that does what its tests tell it: they kill it, stop it
// and start it twice. Usage: scripted-runner.ts STATE_DIR hang|stuck|succeed
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { composeRunner, type Engine } from "#runner/compose.ts";
import type { JobContext } from "#runner/context.ts";
import { runDaemon } from "#runner/daemon.ts";
import { jsonLog } from "#runner/io/log.ts";
import { stopOnSignals } from "#runner/stop-signals.ts";
import { openedUpload } from "#test/helpers/ledgers.ts";
import { successOf, untilAborted } from "./harness.ts";

const [stateDir = "", mode = ""] = process.argv.slice(2);
const log = jsonLog(process.stdout, "debug");
const stop = stopOnSignals(() => log, { isCutShort: true });

async function leaveTraces(job: JobContext): Promise<void> {
  await writeFile(join(job.spoolDir, "database.sql.zst"), "half a dump");
  const opened = openedUpload({
    job_id: job.claim.job.id,
    site_id: job.site.id,
    key: job.claim.s3_path.slice(1),
    upload_id: "u1",
    opened_at: job.now().toISOString(),
  });
  await job.uploads.begin([opened], () => undefined);
  // A log line as a careless engine might write it.
  const credentials = await job.s3Credentials();
  log.info("test.working", { credentials, url: `https://b/k?X-Amz-Signature=PLANTED&key=1` });
}

const engine: Engine = {
  async runBackup(job) {
    if (mode === "succeed") return successOf(job);
    await leaveTraces(job);
    if (mode === "stuck") await new Promise(() => undefined);
    return untilAborted(job);
  },
  async abortUpload({ opened }) {
    log.info("test.upload_aborted", { upload_id: opened.upload_id });
  },
  uploadFate: async () => ({ kind: "open" }),
};

const settings = { stateDir, logFormat: undefined, logLevel: "debug", siteRoots: [] } as const;
try {
  const runner = await composeRunner({
    settings: { ...settings, siteRoots: [] },
    engine,
    log,
    version: "0.0.0",
    stop,
  });
  await runDaemon(stop, runner.daemon);
} catch (error) {
  log.error("test.ended", { error });
  process.exitCode = 1;
}
