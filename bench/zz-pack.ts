import { createWriteStream, mkdtempSync, openSync, writeSync, rmSync } from "node:fs";
import { startS3 } from "#local/s3/server.ts";
import { makeS3 } from "#runner/io/s3-client.ts";
import { packSite } from "#runner/io/pack-site.ts";
import { archiveFrames } from "#runner/io/archive.ts";
import { uploadMultipart } from "#runner/io/multipart.ts";
import { freeBuffer } from "#runner/io/free-buffer.ts";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
const mode = process.argv[2]; const root = process.argv[3] ?? "/tmp/eng/big"; const conc = Number(process.argv[4] ?? 2);
const signal = new AbortController().signal;
let peak = 0; const iv = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 50);
let t0 = performance.now();
let tot=0;
await using pack = packSite({ configPath: root + "/wp-config.php", contentDir: root + "/wp-content", exclude: [], frameBytes: 4 << 20, signal }); await pack.totals(); tot = performance.now() - t0;
if (mode === "pack") { for await (const f of pack.frames()) f.release(); }
else {
  const archive = archiveFrames({ dump: { bytes: 0, frames: async function* () {} }, dumpedAt: new Date(), pack, concurrency: conc });
  if (mode === "file") { const fd = openSync("/tmp/eng/out.tar.zst", "w"); for await (const f of archive.frames) { writeSync(fd, f); freeBuffer(f); } }
  else {
    const s3 = makeS3({ endpoint: process.argv[5], region: "us-east-1" }, async () => ({ accessKeyId: "AK", secretAccessKey: "sk" }));
    await s3.send(new CreateBucketCommand({ Bucket: "bkt" })).catch(() => {});
    await uploadMultipart({ s3, bucket: "bkt", key: "x" + Date.now(), frames: archive.frames, expectedBytes: 1e9, concurrency: 4, signal, beforeComplete: async () => {}, onOpen: async () => {}, onClosed: async () => {} });
  }
}
clearInterval(iv);
console.log(mode, Math.round(performance.now() - t0), "ms totals", Math.round(tot), "rss", Math.round(Math.max(peak, process.memoryUsage.rss()) / 1e6), "cpu", Math.round(process.cpuUsage().user/1000), Math.round(process.cpuUsage().system/1000));
