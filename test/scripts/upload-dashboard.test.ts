// The dashboard's files arrive as a browser needs them, and its page last.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { staticCredentials } from "#local/s3/credentials.ts";
import { startS3 } from "#local/s3/server.ts";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";
import { uploadDashboard } from "../../scripts/upload-dashboard.ts";

const KEYS = { accessKeyId: "AKIATEST", secretAccessKey: "secret" };

test("files are uploaded with their types and lifetimes, the page after what it refers to", async () => {
  await using rig = await startRig({
    "index.html": "<p>",
    "favicon.svg": "<svg/>",
    "assets/app-1f2e.js": "1",
  });
  expect(await uploadDashboard(rig.dir, "dashboard", rig.client)).toBe(3);
  expect(rig.keys).toEqual(["assets/app-1f2e.js", "favicon.svg", "index.html"]);
  const head = (Key: string) => rig.client.send(new HeadObjectCommand({ Bucket: "dashboard", Key }));
  expect(await head("index.html")).toMatchObject({
    ContentType: "text/html; charset=utf-8",
    CacheControl: "no-cache",
  });
  expect(await head("assets/app-1f2e.js")).toMatchObject({
    ContentType: "text/javascript; charset=utf-8",
    CacheControl: "public, max-age=31536000, immutable",
  });
});

test("what cannot be served right, and a directory without a page, are refused", async () => {
  await using odd = await startRig({ "index.html": "<p>", "thing.xyz": "?" });
  await expect(uploadDashboard(odd.dir, "dashboard", odd.client)).rejects.toThrow("thing.xyz");
  await using empty = await startRig({ "a.js": "1" });
  await expect(uploadDashboard(empty.dir, "dashboard", empty.client)).rejects.toThrow(
    "is the dashboard built?",
  );
});

async function startRig(files: Readonly<Record<string, string>>) {
  const using = new AsyncDisposableStack();
  const { path } = using.use(await makeTempDir());
  const dir = join(path, "site");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir, name, ".."), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  const keys: string[] = [];
  const s3 = using.use(
    await startS3({
      dataDir: join(path, "s3"),
      port: 0,
      credentials: staticCredentials({ [KEYS.accessKeyId]: { secretAccessKey: KEYS.secretAccessKey } }),
      now: () => new Date(),
      faults: ({ operation, key }) => {
        if (operation === "PutObject") keys.push(String(key));
        return undefined;
      },
    }),
  );
  const client = new S3Client({ region: "us-east-1", endpoint: s3.endpoint, credentials: KEYS });
  using.defer(() => client.destroy());
  await client.send(new CreateBucketCommand({ Bucket: "dashboard" }));
  return { dir, client, keys, [Symbol.asyncDispose]: () => using.disposeAsync() };
}
