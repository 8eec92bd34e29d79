// What is begun with a backup for its archive must not outlive it, whatever the storage does.

import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type AheadJob, lookAhead } from "#runner/archive-ahead.ts";
import { writeCachedIndex } from "#runner/io/index-cache.ts";
import { recordedLog } from "./control/harness.ts";

const ID = "00000000-0000-4000-8000-000000000000";
const INDEX = Buffer.from("not an index, and nobody reads it");

let dir: string;
let silent: Server;
let connections: number;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "backupd-ahead-"));
  connections = 0;
  silent = createServer(() => {
    connections += 1;
  }).listen(0, "127.0.0.1");
  await once(silent, "listening");
  await writeCachedIndex(join(dir, "index"), [INDEX]);
});
afterEach(async () => {
  silent.close();
  await rm(dir, { recursive: true, force: true });
});

function jobOn(port: number): AheadJob {
  return {
    claim: {
      job: { full: false },
      previous: {
        backup_id: ID,
        s3_path: "/node/site/first.tar.zst",
        size_bytes: 1000,
        etag: '"etag"',
        sha256_index: hash("sha256", INDEX, "hex"),
        backups_since_full: 0,
      },
    },
    storage: { bucket: "archives", region: "us-east-1", endpoint: `http://127.0.0.1:${port}`, prefix: "" },
    s3Credentials: async () => ({ accessKeyId: "AKIA", secretAccessKey: "secret" }),
    quirksFile: join(dir, "quirks.json"),
    indexCacheFile: join(dir, "index"),
    site: { id: ID, name: "site", path: dir, state: "active", exclude: [] },
    signal: new AbortController().signal,
    log: recordedLog().log,
  };
}

it("asks the storage with the job's start, and waits for no answer when the job ends before one", async () => {
  const { port } = silent.address() as AddressInfo;
  const ahead = lookAhead(jobOn(port));
  await expect.poll(() => connections).toBe(1);
  const asked = ahead.storage();
  await ahead[Symbol.asyncDispose]();
  await expect(asked).rejects.toThrow(/abort/i);
  expect(connections).toBe(1);
});
