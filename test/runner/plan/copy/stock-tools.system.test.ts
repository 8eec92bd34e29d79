// An incremental archive (copies first, directories last) under the stock `zstd` and `tar`, as root and as somebody
// who may not write into his own read-only directories; and read by our own tail and index readers.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createCopyPlanner } from "#runner/plan/copy/plan-copies.ts";
import { createPreviousArchive, type PreviousArchive } from "#runner/plan/copy/previous-archive.ts";
import { decodeIndexFrames } from "#shared/format/index-blocks.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { checkTrailer, locateArchiveParts, missingRange, TAIL_BYTES } from "#shared/format/tail.ts";
import { decodeTrailer } from "#shared/format/trailer.ts";
import { walkTree, writeStockArchive } from "./stock-archive.ts";

const LIMITS = { minCopyBytes: 1, maxCopyPartBytes: 1e9, copyPieceBytes: 1e9, maxCopyParts: 1000 };
const NOBODY = 65_534;
let scratch = "";
let root = "";

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "backupd-stock-"));
  chmodSync(scratch, 0o755);
  root = join(scratch, "site");
  mkdirSync(root);
  buildSite();
});
afterEach(() => {
  execFileSync("chmod", ["-R", "u+rwx", scratch]);
  rmSync(scratch, { recursive: true });
});

function at(name: string): string {
  return join(root, "wp-content", name);
}

function buildSite(): void {
  for (const name of ["", "plugins", "plugins/a", "uploads", "uploads/read-only", "empty", "will-be-file"]) {
    mkdirSync(at(name));
  }
  for (let n = 0; n < 20; n += 1) writeFileSync(at(`plugins/a/${n}.php`), `<?php // ${n}\n`.repeat(n * 40));
  writeFileSync(at("plugins/changes-in-place.php"), "before");
  writeFileSync(at("uploads/read-only/kept.png"), "png");
  writeFileSync(at("will-be-file/inner"), "inner");
  writeFileSync(at("will-be-directory"), "file");
  symlinkSync("../../outside", at("uploads/up"));
  symlinkSync("/etc/hostname", at("uploads/absolute"));
  linkSync(at("plugins/a/7.php"), at("uploads/second-name"));
  symlinkSync("../up", at("uploads/read-only/out"));
  chmodSync(at("uploads/read-only"), 0o555);
  chmodSync(at("empty"), 0o711);
  for (const name of ["uploads/read-only", "plugins/a", "plugins", "empty", "uploads", ""]) {
    utimesSync(at(name), 1_600_000_000.25, 1_600_000_000.25);
  }
}

function changeSite(): void {
  appendFileSync(at("plugins/changes-in-place.php"), " and after");
  rmSync(at("will-be-file"), { recursive: true });
  writeFileSync(at("will-be-file"), "now a file");
  rmSync(at("uploads/up"));
  symlinkSync("../elsewhere", at("uploads/up"));
  utimesSync(at("uploads"), 1_600_000_000.25, 1_600_000_000.25);
  rmSync(at("will-be-directory"));
  mkdirSync(at("will-be-directory"));
  writeFileSync(at("will-be-directory/inner"), "new");
  rmSync(at("plugins/a/3.php"));
  utimesSync(at("plugins/a"), 1_650_000_000.5, 1_650_000_000.5);
}

async function backUp(previous: { object: Buffer; archive: PreviousArchive } | undefined) {
  const planner = createCopyPlanner(previous?.archive);
  const walk = walkTree(root, "wp-content");
  for (const entry of walk) planner.see(entry);
  const plan = planner.plan(LIMITS);
  const object = await writeStockArchive(root, previous?.object ?? Buffer.alloc(0), plan);
  return { plan, object, walk };
}

/** As a reader that has the object behind ranged GETs: tail, at most one more range, then the index. */
async function readArchive(object: Buffer): Promise<PreviousArchive> {
  const tail = object.subarray(-TAIL_BYTES);
  const layout = locateArchiveParts(tail, object.length);
  expect(missingRange(layout, tail.length)).toBeUndefined();
  const part = (range: { offset: number; bytes: number }): Buffer =>
    object.subarray(range.offset, range.offset + range.bytes);
  const trailer = decodeTrailer(part(layout.trailer));
  checkTrailer(trailer, layout);
  expect(createHash("sha256").update(part(layout.index)).digest("hex")).toBe(trailer.indexSha256);
  const builder = createPreviousArchive();
  const decoder = createIndexDecoder(builder.sink);
  const decompress = (frame: Uint8Array, maxOutputLength: number): Promise<Buffer> =>
    promisify(zstdDecompress)(frame, { maxOutputLength });
  for await (const block of decodeIndexFrames([part(layout.index)], decompress)) decoder.write(block);
  decoder.end();
  return builder.finish();
}

function extractWithStockTools(object: Buffer, name: string, uid?: number): string {
  const target = join(scratch, name);
  mkdirSync(target);
  writeFileSync(join(target, "backup.tar.zst"), object);
  if (uid !== undefined) chownSync(target, uid, uid);
  const as = uid === undefined ? {} : { uid, gid: uid };
  execFileSync("zstd", ["-q", "-d", "backup.tar.zst"], { cwd: target, ...as });
  execFileSync("tar", ["-xf", "backup.tar"], { cwd: target, stdio: ["ignore", "pipe", "pipe"], ...as });
  return target;
}

/** Type, mode, mtime and links of each path; the owner and what a link's inode happens to be are left out. */
function facts(base: string): unknown[] {
  return walkTree(base, "wp-content").map(({ type, name, size, mode, mtimeNs, link }) => {
    const { nlink } = lstatSync(join(base, name));
    return { type, name, size, mode, mtimeNs, link, names: type === "d" ? 0 : nlink };
  });
}

it("extracts an incremental archive exactly with zstd -d and tar -xf, and reads its index back", async () => {
  const first = await backUp(undefined);
  const firstArchive = await readArchive(first.object);
  changeSite();
  const second = await backUp({ object: first.object, archive: firstArchive });

  expect(second.plan.mode).toBe("incremental");
  expect(second.plan.copied.bytes / first.object.length).toBeGreaterThan(0.2);
  const last = [...second.plan.fresh.directories].map(({ type }) => type);
  expect(last.toSorted().join("")).toBe("dddddddlll");

  const secondArchive = await readArchive(second.object);
  const names = Array.from({ length: secondArchive.entries.count() }, (_, id) =>
    secondArchive.entries.name(id),
  );
  expect(names.sort()).toEqual(second.walk.map((entry) => entry.name).sort());

  const target = extractWithStockTools(second.object, "as-me");
  expect(facts(target)).toEqual(facts(root));
  execFileSync("diff", ["-r", "--no-dereference", join(root, "wp-content"), join(target, "wp-content")]);
});

it.runIf(process.getuid?.() === 0)(
  "extracts as a user who is not root, read-only directories included",
  async () => {
    const first = await backUp(undefined);
    changeSite();
    const second = await backUp({ object: first.object, archive: await readArchive(first.object) });
    const target = extractWithStockTools(second.object, "as-nobody", NOBODY);
    expect(facts(target)).toEqual(facts(root));
  },
);
