// Whether a backup is the site: downloaded and extracted as an operator would, with the stock zstd and tar.
import { createWriteStream, lstatSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { runProgram } from "#local/run-program.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { until } from "#test/faults/hold.ts";
import type { Fleet } from "./fleet.ts";

/** Until the file's stat proves that it has not changed since, by the two seconds of docs/FORMAT.md. */
export async function untilTrusted(path: string): Promise<void> {
  await until(`${path} to be trusted`, () => Date.now() - lstatSync(path).ctimeMs > 2_050);
}

/** Leaves what came out in the directory that it gives. */
export async function expectExact(fleet: Fleet, backup: Backup): Promise<string> {
  const dir = join(fleet.dir, "extracted");
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  const { url } = await fleet.operator.call("downloadBackup", { id: backup.id });
  const { body } = await fetch(url);
  if (body === null) throw new Error("the download has no body");
  await pipeline(Readable.fromWeb(body), createWriteStream(join(dir, "a.tar.zst")));
  await runProgram("zstd", ["-q", "-d", join(dir, "a.tar.zst")]);
  await runProgram("tar", ["-xpf", join(dir, "a.tar"), "-C", dir]);
  const original = join(fleet.demo.siteDir, "wp-content");
  const excludedDirs = ["cache", "node_modules"];
  expect(await compareTrees(original, join(dir, "wp-content"), { excludedDirs })).toEqual([]);
  return dir;
}
