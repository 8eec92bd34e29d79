// The dashboard's files into its bucket: what they refer to before what refers to it, so that a page that is loaded in
// between finds everything, and nothing of the version before is removed under a page that is open.
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { SetupError } from "./setup-error.mjs";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/vnd.microsoft.icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** Returns how many files there are. */
export async function uploadDashboard(dir: string, bucket: string, client: S3Client): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const keys = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort((a, b) => Number(isPage(a)) - Number(isPage(b)) || (a < b ? -1 : 1));
  if (!keys.some(isPage)) throw new SetupError(`There is no page in ${dir}: is the dashboard built?`);
  for (const key of keys) {
    const type = TYPES[extname(key)];
    if (type === undefined)
      throw new SetupError(`${key}: say in scripts/upload-dashboard.ts what type that is.`);
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: await readFile(join(dir, key)),
        ContentType: type,
        CacheControl: cacheControl(key),
      }),
    );
  }
  return keys.length;
}

function isPage(key: string): boolean {
  return key.endsWith(".html");
}

/** Vite puts a hash of their content into the names below assets/. */
function cacheControl(key: string): string {
  return key.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}
