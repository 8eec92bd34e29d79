// The contract of single objects: round trips, ranges, conditions, checksums, copies, deletes.
import { Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import {
  clientOf,
  expectRefusal,
  MIB,
  md5,
  patterned,
  put,
  readObject,
  type SubjectSource,
} from "./subject.ts";

const TEN = Buffer.from("0123456789");

export function objectCases(subject: SubjectSource): void {
  describe("objects", () => {
    it.each([0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1])(
      "gives back %i bytes as they were put",
      async (bytes) => {
        const { bucket } = subject();
        const client = clientOf(subject());
        const body = patterned(bytes);
        expect(await put(client, bucket, `size-${bytes}`, body)).toBe(`"${md5(body)}"`);
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `size-${bytes}` }));
        expect(head.ContentLength).toBe(bytes);
        expect((await readObject(client, bucket, `size-${bytes}`)).equals(body)).toBe(true);
      },
    );

    it("takes a stream with the SDK's default checksum trailer and reports that checksum", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const body = patterned(3 * MIB + 17);
      const chunks = [body.subarray(0, 100), body.subarray(100, MIB), body.subarray(MIB)];
      const place = { Bucket: bucket, Key: "stream" };
      const sent = await client.send(
        new PutObjectCommand({ ...place, Body: Readable.from(chunks), ContentLength: body.length }),
      );
      expect(sent.ChecksumCRC32).toMatch(/^[\w+/]{6}==$/);
      const reply = await client.send(new GetObjectCommand({ ...place, ChecksumMode: "ENABLED" }));
      expect(reply.ChecksumCRC32).toBe(sent.ChecksumCRC32);
      expect(reply.ContentEncoding).toBeUndefined();
      expect(Buffer.from((await reply.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    });

    it.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
      "verifies and returns %s",
      async (algorithm) => {
        const { bucket } = subject();
        const client = clientOf(subject());
        const place = { Bucket: bucket, Key: `sum-${algorithm}` };
        await client.send(
          new PutObjectCommand({ ...place, Body: patterned(70_001), ChecksumAlgorithm: algorithm }),
        );
        const reply = await client.send(new GetObjectCommand({ ...place, ChecksumMode: "ENABLED" }));
        expect(reply[`Checksum${algorithm}`]).toMatch(/^[\w+/]+=*$/);
        // Reading it through the SDK checks the value against the bytes.
        expect(await reply.Body?.transformToByteArray()).toHaveLength(70_001);
      },
    );

    it.each([
      ["a wrong CRC32", { ChecksumCRC32: "AAAAAA==" }, "BadDigest"],
      ["a wrong SHA-256", { ChecksumSHA256: `${"A".repeat(43)}=` }, "BadDigest"],
      ["a wrong MD5", { ContentMD5: `${"A".repeat(22)}==` }, "BadDigest"],
      ["a MD5 that is none", { ContentMD5: "short" }, "InvalidDigest"],
    ])("refuses %s and stores nothing", async (_what, claim, code) => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const place = { Bucket: bucket, Key: "mismatch" };
      await expectRefusal(client.send(new PutObjectCommand({ ...place, Body: TEN, ...claim })), code, 400);
      await expectRefusal(client.send(new HeadObjectCommand(place)), "NotFound", 404);
    });

    it.each([
      ["bytes=2-4", "234", "bytes 2-4/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=-2", "89", "bytes 8-9/10"],
      ["bytes=-99", "0123456789", "bytes 0-9/10"],
      ["bytes=9-1000", "9", "bytes 9-9/10"],
      ["bytes=5-2", "0123456789", undefined],
    ])("answers the range %s", async (Range, text, contentRange) => {
      const { bucket } = subject();
      const client = clientOf(subject());
      await put(client, bucket, "ten", TEN);
      const reply = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "ten", Range }));
      expect(await reply.Body?.transformToString()).toBe(text);
      expect(reply.ContentRange).toBe(contentRange);
    });

    it("refuses a range that begins past the end", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      await put(client, bucket, "ten", TEN);
      const get = (Range: string): Promise<unknown> =>
        client.send(new GetObjectCommand({ Bucket: bucket, Key: "ten", Range }));
      await expectRefusal(get("bytes=10-"), "InvalidRange", 416);
      await expectRefusal(get("bytes=-0"), "InvalidRange", 416);
    });

    it("honours the conditions of reads", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const etag = await put(client, bucket, "conditional", TEN);
      const get = (conditions: object): Promise<unknown> =>
        client.send(new GetObjectCommand({ Bucket: bucket, Key: "conditional", ...conditions }));
      const hourAgo = new Date(Date.now() - 3_600_000);
      const inAnHour = new Date(Date.now() + 3_600_000);
      await get({ IfMatch: etag, IfUnmodifiedSince: hourAgo });
      await get({ IfNoneMatch: '"other"', IfModifiedSince: inAnHour });
      await expectRefusal(get({ IfMatch: '"other"' }), "PreconditionFailed", 412);
      await expectRefusal(get({ IfUnmodifiedSince: hourAgo }), "PreconditionFailed", 412);
      await expectRefusal(get({ IfNoneMatch: etag }), "NotModified", 304);
      await expectRefusal(get({ IfModifiedSince: inAnHour }), "NotModified", 304);
    });

    it("replaces only under If-Match and creates only under If-None-Match", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const putIf = (Key: string, conditions: object): Promise<unknown> =>
        client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "x", ...conditions }));
      const etag = await put(client, bucket, "cas", TEN);
      await expectRefusal(putIf("cas", { IfNoneMatch: "*" }), "PreconditionFailed", 412);
      await expectRefusal(putIf("cas", { IfMatch: '"stale"' }), "PreconditionFailed", 412);
      expect((await readObject(client, bucket, "cas")).equals(TEN)).toBe(true);
      await putIf("cas", { IfMatch: etag });
      await expectRefusal(putIf("cas", { IfMatch: etag }), "PreconditionFailed", 412);
      await expectRefusal(putIf("cas-nothing", { IfMatch: etag }), "NoSuchKey", 404);
    });

    it("lets one of many concurrent creators win", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          client.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: "race",
              Body: `${index}`.repeat(9999),
              IfNoneMatch: "*",
            }),
          ),
        ),
      );
      expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
      const winner = attempts.findIndex((attempt) => attempt.status === "fulfilled");
      expect((await readObject(client, bucket, "race")).toString()).toBe(`${winner}`.repeat(9999));
    });

    it("keeps metadata and headers, and lets a reader override some", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const place = { Bucket: bucket, Key: "headers" };
      await client.send(
        new PutObjectCommand({
          ...place,
          Body: TEN,
          ContentType: "application/zstd",
          CacheControl: "no-store",
          Metadata: { site: "a b", "with-dash": "x" },
        }),
      );
      const head = await client.send(new HeadObjectCommand(place));
      expect(head.ContentType).toBe("application/zstd");
      expect(head.CacheControl).toBe("no-store");
      expect(head.Metadata).toEqual({ site: "a b", "with-dash": "x" });
      const reply = await client.send(
        new GetObjectCommand({ ...place, ResponseContentDisposition: 'attachment; filename="x.zst"' }),
      );
      expect(reply.ContentDisposition).toBe('attachment; filename="x.zst"');
      await reply.Body?.transformToByteArray();
    });

    it("copies within and survives the deletion of the source", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const etag = await put(client, bucket, "from here/ü+%", TEN);
      const CopySource = `${bucket}/${encodeURIComponent("from here/ü+%")}`;
      const copy = (conditions: object): Promise<unknown> =>
        client.send(new CopyObjectCommand({ Bucket: bucket, Key: "copied", CopySource, ...conditions }));
      await expectRefusal(copy({ CopySourceIfMatch: '"stale"' }), "PreconditionFailed", 412);
      await copy({ CopySourceIfMatch: etag });
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: "from here/ü+%" }));
      expect((await readObject(client, bucket, "copied")).equals(TEN)).toBe(true);
    });

    it("deletes one and many, also what is not there", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      await Promise.all(["d/1", "d/2&<>", "d/3"].map((key) => put(client, bucket, key, TEN)));
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: "d/1" }));
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: "d/1" }));
      const Objects = ["d/2&<>", "d/3", "d/never"].map((Key) => ({ Key }));
      const reply = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
      expect(reply.Errors ?? []).toEqual([]);
      expect(reply.Deleted?.map((deleted) => deleted.Key).sort()).toEqual(["d/2&<>", "d/3", "d/never"]);
      await expectRefusal(readObject(client, bucket, "d/3"), "NoSuchKey", 404);
    });
  });
}
