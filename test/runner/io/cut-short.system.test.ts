// Hundreds of random histories of attempts that are cut short after any part, with a ledger that lost any of its last
// bytes, parts that the storage has lost, and a tree that changes in between: what is completed in the end is the tree of
// that moment, by the stock zstd and tar. The whole system around it is in test/faults/resume.system.test.ts.

import { hash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { streamArchive } from "#runner/io/archive.ts";
import { createPartCutter } from "#runner/io/part-cutter.ts";
import {
  blockRecord,
  encodeRecord,
  firstRecords,
  partRecord,
  readLedger,
  sentEarlier,
} from "#runner/io/upload-ledger.ts";
import { openedUpload } from "#test/helpers/ledgers.ts";
import { awaitTick } from "./await-tick.ts";
import { packInline } from "./pack-inline.ts";
import { extract, makeSite, type SiteOnDisk } from "./pack-to-tree.ts";
import { applyChange, type Change, change, makeTree } from "./random-changes.ts";
import { treeFacts } from "./tree-facts.ts";

const RUNS = Number(process.env["CUT_SHORT_HISTORIES"] ?? 60);
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const FRAME_BYTES = 4096;
const PART_BYTES = 12_000;
const LIMITS = { minCopyBytes: 1, maxCopyPartBytes: 100_000, copyPieceBytes: 30_000, maxCopyParts: 9_000 };
const ID = "00000000-0000-4000-8000-000000000000";

interface Attempt {
  readonly changes: readonly Change[];
  /** It is cut short after so many fresh parts. */
  readonly parts: number;
  /** So many bytes of its ledger are lost, and one of its parts. */
  readonly torn: number;
  readonly lostPart: number;
}

const attempt = fc.record<Attempt>({
  changes: fc.array(change, { maxLength: 3 }),
  parts: fc.integer({ min: 1, max: 12 }),
  torn: fc.oneof(fc.constant(0), fc.nat(4_000)),
  lostPart: fc.nat(40),
});

/** The one open upload, and the file that knows of it. */
interface Upload {
  readonly parts: Map<number, Buffer>;
  ledger: string;
}

interface Previous {
  readonly object: Buffer;
  readonly index: Buffer;
}

interface Made extends Previous {
  readonly keptBytes: number;
}

/** The object, unless the attempt is cut short before. */
async function attemptUpload(
  on: SiteOnDisk,
  upload: Upload,
  previous: Previous | undefined,
  limit: number,
): Promise<Made | undefined> {
  const dump = Buffer.from("-- a dump\n");
  const ledger = readLedger(Buffer.from(upload.ledger));
  const before = ledger?.parts.filter(({ number }) => upload.parts.has(number)) ?? [];
  const sha256 = hash("sha256", dump);
  await using pack = await packInline({
    configPath: join(on.site, "wp-config.php"),
    contentDir: on.content,
    exclude: [],
    frameBytes: FRAME_BYTES,
    limits: LIMITS,
    dumpSha256: sha256,
    racyWindowNs: 0n,
    ...(previous === undefined ? {} : { previousIndex: previous.index }),
    ...(ledger === undefined ? {} : { sent: sentEarlier(ledger, before) }),
    signal: new AbortController().signal,
    onEntries: (block) => {
      upload.ledger += encodeRecord(blockRecord(block));
    },
  });
  const plan = await pack.plan();
  let number = Math.max(0, ...upload.parts.keys());
  const opened = openedUpload({
    last_number: number,
    gap: { tar_offset: plan.kept.tarBytes, tar_bytes: plan.copied.tarBytes },
  });
  upload.ledger = firstRecords(opened, plan.kept, { parts: before, reports: [] }).map(encodeRecord).join("");
  const { compress } = await import("@mongodb-js/zstd");
  async function* spooled(): AsyncGenerator<{ bytes: Buffer; rawBytes: number }, void, undefined> {
    yield { bytes: await compress(dump), rawBytes: dump.length };
  }
  const stream = streamArchive({
    dump: { bytes: dump.length, sha256, frames: spooled },
    dumpedAt: new Date("2026-01-02T03:04:05.678Z"),
    pack,
    plan,
    origin: { created_at: "2026-01-02T03:04:05.678Z", tool: "test", node_id: ID, site_id: ID },
    concurrency: 1,
  });
  const inObject = plan.kept.parts.map((part) => part.number);
  const put = (bytes: Buffer): number => {
    number += 1;
    upload.parts.set(number, Buffer.from(bytes));
    inObject.push(number);
    return number;
  };
  for (const { offset, bytes } of plan.copied.parts) {
    put(previous?.object.subarray(offset, offset + bytes) ?? Buffer.alloc(0));
  }
  const cutter = createPartCutter(() => PART_BYTES, PART_BYTES / 3);
  let left = limit;
  for await (const piece of stream.pieces) {
    for (const part of cutter.add(piece)) {
      const [first] = part.frames ?? [];
      const name = put(part.bytes);
      if (first !== undefined && part.frames !== undefined) {
        const place = { number: name, etag: "", crc32: "", tarOffset: first.tarOffset };
        upload.ledger += encodeRecord(partRecord({ ...place, frames: part.frames }));
      }
      part.release();
      left -= 1;
      if (left === 0) return undefined;
    }
  }
  const last = cutter.end();
  if (last !== undefined) put(last.bytes);
  const numbers = inObject.toSorted((a, b) => a - b);
  const object = Buffer.concat(numbers.map((each) => upload.parts.get(each) ?? Buffer.alloc(0)));
  return { object, index: Buffer.concat(stream.result().index), keptBytes: plan.kept.bytes };
}

it(`is the tree of the last attempt, in ${RUNS} histories`, { timeout: RUNS * 3000 }, async () => {
  let keptBytes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(attempt, { minLength: 1, maxLength: 4 }),
      async (hasPrevious, attempts) => {
        await using on = await makeSite(SCRATCH);
        const tree = makeTree(on.content);
        for (let n = 0; n < 10; n += 1) writeFileSync(join(on.content, `base${n}`), tree.bytes(n * 1_700));
        const fresh = (): Upload => ({ parts: new Map(), ledger: "" });
        const previous = hasPrevious
          ? await attemptUpload(on, fresh(), undefined, Number.POSITIVE_INFINITY)
          : undefined;
        for (let n = 0; n < 10; n += 1) writeFileSync(join(on.content, `more${n}`), tree.bytes(n * 1_900));
        const upload = fresh();
        let made: Made | undefined;
        for (const { changes, parts, torn, lostPart } of attempts) {
          made = await attemptUpload(on, upload, previous, parts);
          if (made !== undefined) break;
          upload.ledger = upload.ledger.slice(0, Math.max(0, upload.ledger.length - torn));
          upload.parts.delete(lostPart);
          awaitTick(on.dir);
          for (const one of changes) applyChange(tree, one);
          awaitTick(on.dir);
        }
        made ??= await attemptUpload(on, upload, previous, Number.POSITIVE_INFINITY);
        if (made === undefined) throw new Error("the last attempt was cut short");
        keptBytes += made.keptBytes;
        const archive = join(on.dir, "archive.tar.zst");
        writeFileSync(archive, made.object);
        const { tree: extracted, complaints } = await extract(archive, join(on.dir, "extracted"));
        expect(complaints).toBe("");
        expect(readFileSync(join(extracted, "database.sql"), "utf8")).toBe("-- a dump\n");
        expect(treeFacts(join(extracted, "wp-content"))).toEqual(treeFacts(on.content));
      },
    ),
    { numRuns: RUNS },
  );
  expect(keptBytes).toBeGreaterThan(RUNS * PART_BYTES);
});
