import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type PreflightJob, preflight } from "#runner/preflight.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "backupd-preflight-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function jobWith(changes: Pick<PreflightJob, "begun" | "signal">): PreflightJob {
  return {
    restoresDir: dir,
    site: { id: "s1", name: "site", path: join(dir, "site"), state: "active", exclude: [] },
    siteEnvFile: join(dir, "site.env"),
    spoolDir: dir,
    ...changes,
  };
}

it("waits no longer than the job for a database that was asked before it and does not answer", async () => {
  const job = new AbortController();
  const lookedAt = new Promise<never>(() => undefined);
  const checking = preflight(jobWith({ begun: { lookedAt }, signal: job.signal }));
  job.abort(new Error("cancelled"));
  await expect(checking).rejects.toThrow("cancelled");
});

it("says what was found wrong before the job", async () => {
  const lookedAt = Promise.reject(new Error("no such site"));
  lookedAt.catch(() => undefined); // As whoever began it does.
  const { signal } = new AbortController();
  await expect(preflight(jobWith({ begun: { lookedAt }, signal }))).rejects.toThrow("no such site");
});

it("looks for itself where nobody has", async () => {
  const { signal } = new AbortController();
  await expect(preflight(jobWith({ signal }))).rejects.toMatchObject({ code: "site_path_missing" });
});
