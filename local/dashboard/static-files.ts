// The built dashboard, read into memory once. A request is looked up by its whole path among the files that are there,
// so no name a client could think of reaches the disk.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";

export interface StaticFile {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** By URL path: `/index.html`, `/assets/main-3f2a.js`. */
export type StaticFiles = ReadonlyMap<string, StaticFile>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

export async function readStaticFiles(dir: string): Promise<StaticFiles> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = new Map<string, StaticFile>();
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(dir, file).split(sep).join("/")}`;
    const bytes = await readFile(file);
    files.set(path, { bytes, headers: headersOf(path, type, bytes) });
  }
  return files;
}

function headersOf(path: string, type: string, bytes: Buffer): Record<string, string> {
  // The bundler names what lies in assets/ by its content.
  const isNamedByContent = path.startsWith("/assets/");
  return {
    "content-type": type,
    "cache-control": isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache",
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
  };
}
