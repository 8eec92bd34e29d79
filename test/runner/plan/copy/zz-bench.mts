import { compress as zc, decompress as zd } from "@mongodb-js/zstd";
import { createCopyPlanner, S3_COPY_LIMITS } from "#runner/plan/copy/plan-copies.ts";
import { createPreviousArchive } from "#runner/plan/copy/previous-archive.ts";
import { decodeIndexFrames, encodeIndexFrames } from "#shared/format/index-blocks.ts";
import { createIndexDecoder, encodeIndexLines } from "#shared/format/index-lines.ts";
import { createHash } from "node:crypto";
const N = Number(process.argv[2]); const touch = Number(process.argv[3] ?? 20);
const rnd = (n: number) => { const h = createHash("md5").update(String(n)).digest(); return h.readUInt32LE(0); };
function* walk(changed: boolean) {
  const base = 1_760_000_000_000_000_000n;
  for (let n = 0; n < N; n++) {
    const d = Math.floor(n / 10);
    if (n % 10 === 0) yield { type: "d" as const, name: `wp-content/plugins/woocommerce-${d % 97}/includes/admin/dir-${d}`, size: 0, mode: 0o755, uid: 33, gid: 33, mtimeNs: base + BigInt(rnd(n)) * 977n, ctimeNs: base + BigInt(rnd(n)) * 977n, ino: BigInt(1000000 + n) };
    else yield { type: "f" as const, name: `wp-content/plugins/woocommerce-${d % 97}/includes/admin/dir-${d}/class-wc-file-${n}.php`, size: rnd(n) % 120000, mode: 0o644, uid: 33, gid: 33, mtimeNs: base + BigInt(rnd(n + 7)) * 977n, ctimeNs: base + BigInt(rnd(n)) * 977n + (changed && n % Math.floor(N / touch) === 1 ? 1n : 0n), ino: BigInt(1000000 + n) };
  }
}
const FT = 4 * 1024 ** 2;
function build() { // entries & frames lazily, files then dirs
  let tar = 0; const marks: number[] = [0];
  const entries = function* () { tar = 0; let open = 0; marks.length = 1;
    for (const pass of ["f", "d"]) for (const e of walk(false)) { if (e.type !== pass) continue; const len = 1536 + Math.ceil(e.size / 512) * 512; if (open + len > FT) { marks.push(tar); open = 0; } yield { ...e, tarOffset: tar, flags: 0 }; tar += len; open += len; } };
  for (const _ of entries()) {}
  const end = tar; marks.push(end); marks.push(end + 1024);
  const m = [...new Set(marks)];
  const frames = m.slice(0, -1).map((t, i) => ({ offset: 0, compressedBytes: Math.ceil(((m[i + 1] ?? 0) - t) / 2.6), tarOffset: t, tarBytes: (m[i + 1] ?? 0) - t, sha256: createHash("sha256").update(String(i)).digest("hex") }));
  let o = 0; for (const f of frames) { f.offset = o; o += f.compressedBytes; }
  return { entries, frames, end };
}
const b = build(); const uuid = "00000000-0000-4000-8000-000000000000";
const header = { format: "backupd" as const, version: 1 as const, created_at: "2026-01-01T00:00:00Z", tool: "b", node_id: uuid, site_id: uuid, tar_bytes: b.end + 1024, entries_end: b.end, frames: b.frames.length, entries: N, database: null };
globalThis.gc?.();
const m0 = process.memoryUsage();
let t = performance.now(); const stored: Uint8Array[] = []; let raw = 0;
for await (const f of encodeIndexFrames(encodeIndexLines(header, b.frames, b.entries()), async (x) => { raw += x.length; return zc(Buffer.from(x.buffer, x.byteOffset, x.length)); })) stored.push(f);
const enc = (performance.now() - t) / 1000; const bytes = stored.reduce((s, f) => s + f.length, 0);
t = performance.now(); for (const _ of b.entries()) {} const gen = (performance.now() - t) / 1000;
globalThis.gc?.(); const m1 = process.memoryUsage();
t = performance.now(); const builder = createPreviousArchive(); const dec = createIndexDecoder(builder.sink);
for await (const block of decodeIndexFrames(stored, (x) => zd(Buffer.from(x.buffer, x.byteOffset, x.length)))) dec.write(block);
dec.end(); const prev = builder.finish(); const decS = (performance.now() - t) / 1000;
globalThis.gc?.(); const m2 = process.memoryUsage();
t = performance.now(); const w = []; for (const e of walk(true)) w; const genW = (performance.now() - t) / 1000;
t = performance.now(); const planner = createCopyPlanner(prev); for (const e of walk(true)) planner.see(e); const see = (performance.now() - t) / 1000 - genW;
t = performance.now(); const plan = planner.plan(S3_COPY_LIMITS); const pl = (performance.now() - t) / 1000;
globalThis.gc?.(); const m3 = process.memoryUsage();
const mem = (m: NodeJS.MemoryUsage) => m.heapUsed + m.arrayBuffers + 0;
console.log(JSON.stringify({ N, rawMB: raw / 1e6, storedMB: bytes / 1e6, perEntry: bytes / N, encodeS: enc - gen, decodeS: decS, seeS: see, planS: pl, prevBytesPerFile: (mem(m2) - mem(m1)) / N, plannerBytesPerFile: (mem(m3) - mem(m2)) / N, rssMB: process.memoryUsage().rss / 1e6, maxRssMB: process.resourceUsage().maxRSS / 1e3, counts: plan.counts, parts: plan.copied.parts.length, copiedShare: plan.copied.bytes / b.frames.reduce((s, f) => s + f.compressedBytes, 0), mode: plan.mode }));
// full: fresh planner
t = performance.now(); const p2 = createCopyPlanner(undefined); for (const e of walk(true)) p2.see(e); const full = p2.plan(S3_COPY_LIMITS); console.log("full plan s", (performance.now() - t) / 1000 - genW, full.fresh.count); globalThis.gc?.(); console.log("full bytes/file", (mem(process.memoryUsage()) - mem(m3)) / N);
