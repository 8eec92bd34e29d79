import { hash, randomBytes } from "node:crypto";
import { compress, decompress } from "@mongodb-js/zstd";
import { describe, expect, it } from "vitest";
import { compressFrames, type PlainFrame } from "#runner/io/compress.ts";
import { judgeFrame } from "#runner/io/judge-frame.ts";
import { COMPRESS_CONCURRENCY } from "#runner/send-archive.ts";

const MIB = 1_048_576;
const text = (bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes / 32 }, (_, i) => `<?php echo ${i};`.padEnd(32)).join(""));

const judged = (bytes: Buffer): PlainFrame => ({ bytes, rawSha256: judgeFrame(bytes) });

async function* each(frames: readonly Buffer[]): AsyncGenerator<PlainFrame> {
  for (const bytes of frames) yield judged(bytes);
}

async function compressAll(frames: readonly Buffer[]): Promise<Buffer[]> {
  const made: Buffer[] = [];
  for await (const frame of compressFrames(each(frames), { concurrency: 2 })) {
    expect(frame.rawBytes).toBe(frames[made.length]?.length);
    const whole = Buffer.concat(frame.pieces);
    expect(whole.length).toBe(frame.bytes);
    expect(frame.sha256 ?? hash("sha256", whole)).toBe(hash("sha256", whole));
    made.push(whole);
    frame.release();
  }
  return made;
}

describe("compressing frames", () => {
  it("gives them back in order, each a whole zstd frame", async () => {
    const frames = [text(4 * MIB), randomBytes(4 * MIB), text(MIB), Buffer.from("end")];
    const made = await compressAll(frames);
    const again = await Promise.all(made.map((frame) => decompress(frame)));
    expect(again.map((bytes, i) => frames[i]?.equals(bytes))).toEqual([true, true, true, true]);
  });

  it("compresses as zstd -3 does where it pays", async () => {
    const frame = text(4 * MIB);
    const [made] = await compressAll([frame]);
    expect(made?.equals(await compress(frame, 3))).toBe(true);
  });

  it("stores what does not compress, at most 3 bytes per 128 KiB larger", async () => {
    const [made] = await compressAll([randomBytes(4 * MIB)]);
    expect(made?.length).toBe(4 * MIB + 9 + 32 * 3);
  });

  it("compresses a frame of which a tenth is text among media", async () => {
    const frame = randomBytes(4 * MIB);
    text(MIB / 2).copy(frame, 1_700_000);
    const [made] = await compressAll([frame]);
    expect(made?.length).toBeLessThan(3.7 * MIB);
  });

  it("has as many in work as a backup is set to, more than one, and no more in memory", async () => {
    const inWork: number[] = [];
    let begun = 0;
    let released = 0;
    async function* source(): AsyncGenerator<PlainFrame> {
      for (let n = 0; n < 6; n += 1) {
        begun += 1;
        inWork.push(begun - released);
        yield {
          ...judged(n % 2 === 0 ? text(MIB) : randomBytes(MIB)),
          release: () => {
            released += 1;
          },
        };
      }
    }
    let made = 0;
    for await (const { release } of compressFrames(source(), { concurrency: COMPRESS_CONCURRENCY })) {
      made += 1;
      release();
    }
    expect([made, released]).toEqual([6, 6]);
    expect(Math.max(...inWork)).toBe(COMPRESS_CONCURRENCY);
    expect(COMPRESS_CONCURRENCY).toBeGreaterThan(1);
  });
});
