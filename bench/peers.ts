// What we are measured against: GNU tar with zstd, and restic on the same S3 server with its defaults.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { inheritedEnvironment } from "#local/own-process.ts";
import type { World } from "./world.ts";

/** backupd makes itself the last to get processor and disk. On a machine that does anything else, that decides. */
const OUR_PRIORITY = ["nice", "-n", "19", "ionice", "-c", "3"];

/** What the archive has of the site's directory, and so what a peer is given. */
const CONTENT = ["wp-config.php", "wp-content"];

export async function timeTarZstd(siteDir: string, dir: string): Promise<number> {
  const file = join(dir, "peer.tar.zst");
  const pipe = `tar -C "$1" -cf - ${CONTENT.join(" ")} | zstd -q -3 -T0 -f -o "$2"`;
  const seconds = await timeRun("bash", ["-o", "pipefail", "-c", pipe, "bash", siteDir, file], {});
  await rm(file);
  return seconds;
}

/**
 * The restore procedure in one pipe: nothing waits for a file. What it restores stays: an ext4 without a journal looks at
 * every inode that was deleted in the last minutes before it takes one for a new file (measured: after the removal of a
 * restored site, 18 of the 20 processor seconds of the next restore, and of tar's).
 */
export async function timeCurlTar(url: string, dir: string): Promise<number> {
  const to = await mkdtemp(join(dir, "restored-"));
  const pipe = 'curl -sSf "$1" | zstd -q -d | tar -C "$2" -xf -';
  return await timeRun("bash", ["-o", "pipefail", "-c", pipe, "bash", url, to], {});
}

/** Reads everything once, so that nobody's first run waits for the disk. (tar skips reading for /dev/null itself.) */
export async function warmUp(siteDir: string): Promise<void> {
  await timeRun("bash", ["-c", 'tar -C "$1" -cf - . | cat > /dev/null', "bash", siteDir], {});
}

export interface Restic extends AsyncDisposable {
  /** Seconds of one `restic backup`, process start included. */
  backUp(siteDir: string): Promise<number>;
}

/** A new repository with a new cache; its `init` is not timed. */
export async function initRestic(world: World, dir: string): Promise<Restic> {
  const cacheDir = await mkdtemp(join(dir, "restic-cache-"));
  const bucket = `restic-${cacheDir.slice(-6).toLowerCase()}`;
  await world.createBucket(bucket);
  const env = {
    AWS_ACCESS_KEY_ID: world.stack.masterKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: world.stack.masterKeys.secretAccessKey,
    RESTIC_REPOSITORY: `s3:${world.stack.s3.endpoint}/${bucket}/repository`,
    RESTIC_PASSWORD: "bench",
    RESTIC_CACHE_DIR: cacheDir,
  };
  await timeRun("restic", ["init", "--quiet"], env);
  return {
    backUp: (siteDir) =>
      timeRun("restic", ["backup", "--quiet", ...CONTENT.map((name) => join(siteDir, name))], env),
    async [Symbol.asyncDispose]() {
      await world.empty(bucket);
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}

function timeRun(program: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  const [first = program, ...rest] = [...OUR_PRIORITY, program, ...args];
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(first, rest, {
      env: { ...inheritedEnvironment(), ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve((performance.now() - startedMs) / 1000);
      else reject(new Error(`${program} ended with exit code ${code}: ${errors.trim()}`));
    });
  });
}
