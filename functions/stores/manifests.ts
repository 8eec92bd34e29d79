// The manifests in the bucket, one a day: below a prefix that no node can write to or read from.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { OWN_PREFIX } from "../core/storage-report.ts";
import { awsClient } from "./aws-client.ts";
import { listBucket } from "./object-list.ts";

export interface Manifests {
  /** The days that there is one of, in order. */
  dates(): Promise<string[]>;
  read(date: string): Promise<string>;
  /** Replaces the day's. */
  write(date: string, text: string): Promise<void>;
  remove(date: string): Promise<void>;
}

const PREFIX = `${OWN_PREFIX}manifests/`;
const SUFFIX = ".ndjson.zst";
const MAX_BYTES = 1024 ** 3;

export function openManifests({ bucketName: Bucket }: { readonly bucketName: string }): Manifests {
  const client = awsClient(new S3Client({}));
  const keyOf = (date: string): string => `${PREFIX}${date}${SUFFIX}`;
  return {
    async dates() {
      const dates: string[] = [];
      for await (const { key } of listBucket(client, Bucket).objectsAfter(PREFIX)) {
        if (!key.startsWith(PREFIX)) break;
        if (key.endsWith(SUFFIX)) dates.push(key.slice(PREFIX.length, -SUFFIX.length));
      }
      return dates;
    },
    async read(date) {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket, Key: keyOf(date) }));
      const bytes = (await body?.transformToByteArray()) ?? new Uint8Array(0);
      return zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString("utf8");
    },
    async write(date, text) {
      await client.send(new PutObjectCommand({ Bucket, Key: keyOf(date), Body: zstdCompressSync(text) }));
    },
    async remove(date) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(date) }));
    },
  };
}
