// Packs the site given on the command line and prints the error that ends it: run as a user without root's rights.
import { join } from "node:path";
import { packSite } from "#runner/io/pack-site.ts";
import { S3_COPY_LIMITS } from "#runner/plan/copy/plan-copies.ts";
import { asBackupError } from "#shared/errors.ts";

const site = process.argv[2] ?? "";
await using pack = packSite({
  configPath: join(site, "wp-config.php"),
  contentDir: join(site, "wp-content"),
  exclude: [],
  frameBytes: 65_536,
  limits: S3_COPY_LIMITS,
  dumpSha256: "",
  signal: new AbortController().signal,
});
try {
  for await (const frame of pack.frames()) frame.release();
} catch (error) {
  const { code, message } = asBackupError(error, "unexpected");
  console.log(JSON.stringify({ code, message }));
}
