// The contract of multipart uploads, which archives are made of: order, sizes, copies of ranges, conditions.
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandOutput,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import {
  clientOf,
  expectRefusal,
  MIB,
  patterned,
  put,
  putInParts,
  readObject,
  type SubjectSource,
  sha256,
} from "./subject.ts";

interface Session {
  readonly client: S3Client;
  readonly place: { readonly Bucket: string; readonly Key: string; readonly UploadId: string };
  send(PartNumber: number, Body: Uint8Array): Promise<CompletedPart>;
  copy(
    PartNumber: number,
    CopySource: string,
    CopySourceRange?: string,
    ifMatch?: string,
  ): Promise<CompletedPart>;
  complete(Parts: CompletedPart[], conditions?: object): Promise<string>;
}

async function begin(subject: ReturnType<SubjectSource>, Key: string): Promise<Session> {
  const client = clientOf(subject);
  const { UploadId = "" } = await client.send(
    new CreateMultipartUploadCommand({ Bucket: subject.bucket, Key }),
  );
  const place = { Bucket: subject.bucket, Key, UploadId };
  return {
    client,
    place,
    send: async (PartNumber, Body) => {
      const { ETag, ChecksumCRC32 } = await client.send(
        new UploadPartCommand({ ...place, PartNumber, Body }),
      );
      return { PartNumber, ETag, ChecksumCRC32 };
    },
    copy: async (PartNumber, source, CopySourceRange, CopySourceIfMatch) => {
      const CopySource = `${subject.bucket}/${source}`;
      const { CopyPartResult } = await client.send(
        new UploadPartCopyCommand({ ...place, PartNumber, CopySource, CopySourceRange, CopySourceIfMatch }),
      );
      return { PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 };
    },
    complete: async (Parts, conditions = {}) => {
      const command = new CompleteMultipartUploadCommand({
        ...place,
        MultipartUpload: { Parts },
        ...conditions,
      });
      return (await client.send(command)).ETag ?? "";
    },
  };
}

export function multipartCases(subject: SubjectSource): void {
  describe("multipart uploads", () => {
    it("joins parts that came out of order", async () => {
      const upload = await begin(subject(), "mp/order");
      const bodies = [patterned(5 * MIB, 1), patterned(6 * MIB, 2), patterned(100, 3)] as const;
      const third = await upload.send(30, bodies[2]);
      const first = await upload.send(1, bodies[0]);
      await upload.send(2, bodies[0]);
      const second = await upload.send(2, bodies[1]);
      const listed = await upload.client.send(new ListPartsCommand({ ...upload.place, MaxParts: 2 }));
      expect(listed.Parts?.map((part) => part.Size)).toEqual([5 * MIB, 6 * MIB]);
      expect(listed.IsTruncated).toBe(true);
      const etag = await upload.complete([first, second, third]);
      // Not the MD5s of the parts: AWS promises that only for some kinds of encryption.
      expect(etag).toMatch(/^"[0-9a-f]{32}-3"$/);
      expect(
        (await readObject(upload.client, upload.place.Bucket, "mp/order")).equals(Buffer.concat(bodies)),
      ).toBe(true);
      const middle = await readObject(
        upload.client,
        upload.place.Bucket,
        "mp/order",
        `bytes=${5 * MIB - 3}-${5 * MIB + 3}`,
      );
      expect(middle.equals(Buffer.concat(bodies).subarray(5 * MIB - 3, 5 * MIB + 4))).toBe(true);
    });

    it("refuses a part under 5 MiB that is not the last, sent or copied", async () => {
      const { bucket } = subject();
      await put(clientOf(subject()), bucket, "mp/source-of-small", patterned(5 * MIB));
      const upload = await begin(subject(), "mp/too-small");
      const small = await upload.send(1, patterned(5 * MIB - 1));
      const last = await upload.send(2, patterned(10));
      await expectRefusal(upload.complete([small, last]), "EntityTooSmall", 400);
      const copied = await begin(subject(), "mp/too-small-copied");
      const first = await copied.copy(1, "mp/source-of-small", `bytes=0-${5 * MIB - 2}`);
      await expectRefusal(
        copied.complete([first, await copied.send(2, patterned(10))]),
        "EntityTooSmall",
        400,
      );
      for (const Key of ["mp/too-small", "mp/too-small-copied"]) {
        const head = new HeadObjectCommand({ Bucket: bucket, Key });
        await expectRefusal(upload.client.send(head), "NotFound", 404);
      }
    });

    it("refuses bad order, unknown parts and wrong ETags", async () => {
      const upload = await begin(subject(), "mp/refused");
      const small = await upload.send(1, patterned(5 * MIB));
      const last = await upload.send(2, patterned(10));
      await expectRefusal(upload.complete([last, small]), "InvalidPartOrder", 400);
      await expectRefusal(upload.complete([{ ...last, PartNumber: 3 }]), "InvalidPart", 400);
      await expectRefusal(upload.complete([{ ...last, ETag: small.ETag }]), "InvalidPart", 400);
      await expectRefusal(upload.send(10_001, patterned(10)), "InvalidArgument", 400);
      await expectRefusal(upload.send(0, patterned(10)), "InvalidArgument", 400);
      const head = new HeadObjectCommand({ Bucket: upload.place.Bucket, Key: upload.place.Key });
      await expectRefusal(upload.client.send(head), "NotFound", 404);
    });

    it("mixes copied ranges and uploaded parts exactly", async () => {
      const { bucket } = subject();
      const old = [patterned(5 * MIB + 11, 4), patterned(7 * MIB, 5), patterned(77, 6)];
      const oldBytes = Buffer.concat(old);
      await putInParts(clientOf(subject()), bucket, "mp/old", old);
      const upload = await begin(subject(), "mp/new");
      const fresh = patterned(1234, 7);
      const parts = [
        await upload.copy(1, "mp/old", `bytes=3-${8 * MIB}`),
        await upload.copy(2, "mp/old"),
        await upload.send(3, fresh),
      ];
      await upload.complete(parts);
      const expected = Buffer.concat([oldBytes.subarray(3, 8 * MIB + 1), oldBytes, fresh]);
      expect((await readObject(upload.client, bucket, "mp/new")).equals(expected)).toBe(true);
    });

    it("copies of a source what it has, and nothing of one that is not there", async () => {
      const { bucket } = subject();
      const etag = await put(clientOf(subject()), bucket, "mp/source", patterned(100));
      const upload = await begin(subject(), "mp/copies");
      await expectRefusal(upload.copy(1, "mp/nothing"), "NoSuchKey", 404);
      await upload.complete([await upload.copy(1, "mp/source", "bytes=0-99", etag)]);
      const copied = await readObject(upload.client, bucket, "mp/copies");
      expect(copied.equals(patterned(100))).toBe(true);
    });

    it("refuses a copy beyond the end of its source, and a malformed range", async () => {
      const { bucket } = subject();
      await put(clientOf(subject()), bucket, "mp/short", patterned(100));
      const upload = await begin(subject(), "mp/beyond");
      await expectRefusal(upload.copy(1, "mp/short", "bytes=0-100"), "InvalidArgument", 400);
      await expectRefusal(upload.copy(1, "mp/short", "bytes=100-100"), "InvalidArgument", 400);
      await expectRefusal(upload.copy(1, "mp/short", "bytes=5-"), "InvalidArgument", 400);
    });

    it("refuses a copy from a source that is no longer the one meant", async () => {
      const { bucket } = subject();
      const etag = await put(clientOf(subject()), bucket, "mp/replaced", patterned(100));
      await put(clientOf(subject()), bucket, "mp/replaced", patterned(100, 2));
      const upload = await begin(subject(), "mp/stale");
      await expectRefusal(upload.copy(1, "mp/replaced", "bytes=0-9", etag), "PreconditionFailed", 412);
    });

    it("completes only what is not there yet under If-None-Match, and keeps the upload when refused", async () => {
      const { bucket } = subject();
      await put(clientOf(subject()), bucket, "mp/taken", Buffer.from("first"));
      const upload = await begin(subject(), "mp/taken");
      const part = await upload.send(1, Buffer.from("second"));
      await expectRefusal(upload.complete([part], { IfNoneMatch: "*" }), "PreconditionFailed", 412);
      expect((await readObject(upload.client, bucket, "mp/taken")).toString()).toBe("first");
      await upload.complete([part]);
      expect((await readObject(upload.client, bucket, "mp/taken")).toString()).toBe("second");
    });

    it("answers a repeated Complete as the first one", async () => {
      const upload = await begin(subject(), "mp/again");
      const part = await upload.send(1, Buffer.from("once"));
      const etag = await upload.complete([part]);
      expect(await upload.complete([part])).toBe(etag);
    });

    it("forgets an aborted upload and refuses to go on with it", async () => {
      const upload = await begin(subject(), "mp/aborted");
      const part = await upload.send(1, patterned(10));
      const prefix = { Bucket: upload.place.Bucket, Prefix: "mp/aborted" };
      const open = await upload.client.send(new ListMultipartUploadsCommand(prefix));
      expect(open.Uploads?.map((entry) => entry.UploadId)).toEqual([upload.place.UploadId]);
      await upload.client.send(new AbortMultipartUploadCommand(upload.place));
      await expectRefusal(upload.send(2, patterned(10)), "NoSuchUpload", 404);
      await expectRefusal(upload.complete([part]), "NoSuchUpload", 404);
      const left = await upload.client.send(new ListMultipartUploadsCommand(prefix));
      expect(left.Uploads ?? []).toEqual([]);
    });

    it("holds a composite checksum to every part having brought and named its own", async () => {
      const { bucket } = subject();
      const client = clientOf(subject(), { requestChecksumCalculation: "WHEN_REQUIRED" });
      const place = { Bucket: bucket, Key: "mp/composite" };
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: "SHA256" }),
      );
      const Body = patterned(2000);
      const send = (extra: object): Promise<UploadPartCommandOutput> =>
        client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body, ...extra }));
      await expectRefusal(send({}), "InvalidRequest", 400);
      const { ETag, ChecksumSHA256 } = await send({ ChecksumAlgorithm: "SHA256" });
      const complete = (extra: object): Promise<CompleteMultipartUploadCommandOutput> => {
        const Parts = [{ PartNumber: 1, ETag, ...extra }];
        const command = { ...place, UploadId, MultipartUpload: { Parts } };
        return client.send(new CompleteMultipartUploadCommand(command));
      };
      await expectRefusal(complete({}), "InvalidRequest", 400);
      await expectRefusal(complete({ ChecksumSHA256: `${"A".repeat(43)}=` }), "InvalidPart", 400);
      const done = await complete({ ChecksumSHA256 });
      const ofDigests = sha256(Buffer.from(sha256(Body), "hex"));
      expect(done.ChecksumSHA256).toBe(`${Buffer.from(ofDigests, "hex").toString("base64")}-1`);
      expect(done.ChecksumType).toBe("COMPOSITE");
    });

    it.each(["CRC32", "CRC32C", "CRC64NVME"] as const)(
      "joins %s of parts to that of the object",
      async (algorithm) => {
        const { bucket } = subject();
        const client = clientOf(subject());
        const bodies = [patterned(5 * MIB, 8), patterned(5 * MIB, 9), patterned(321, 10)];
        const place = { Bucket: bucket, Key: `mp/full-${algorithm}` };
        const { UploadId } = await client.send(
          new CreateMultipartUploadCommand({
            ...place,
            ChecksumAlgorithm: algorithm,
            ChecksumType: "FULL_OBJECT",
          }),
        );
        const Parts: CompletedPart[] = [];
        for (const [index, Body] of bodies.entries()) {
          const PartNumber = index + 1;
          const command = new UploadPartCommand({
            ...place,
            UploadId,
            PartNumber,
            Body,
            ChecksumAlgorithm: algorithm,
          });
          const sent = await client.send(command);
          Parts.push({ PartNumber, ETag: sent.ETag, [`Checksum${algorithm}`]: sent[`Checksum${algorithm}`] });
        }
        const done = await client.send(
          new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }),
        );
        const whole = { Bucket: bucket, Key: `mp/whole-${algorithm}` };
        await putWith(client, whole, Buffer.concat(bodies), algorithm);
        const head = await client.send(new HeadObjectCommand({ ...whole, ChecksumMode: "ENABLED" }));
        expect(done[`Checksum${algorithm}`]).toBe(head[`Checksum${algorithm}`]);
        expect(done.ChecksumType).toBe("FULL_OBJECT");
      },
    );
  });
}

async function putWith(
  client: S3Client,
  place: { Bucket: string; Key: string },
  Body: Buffer,
  ChecksumAlgorithm: "CRC32" | "CRC32C" | "CRC64NVME",
): Promise<void> {
  await client.send(new PutObjectCommand({ ...place, Body, ChecksumAlgorithm }));
}
