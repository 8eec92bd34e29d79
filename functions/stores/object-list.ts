// What lies in a bucket: one object's facts, and all keys in their order. It takes the client, so that each storage can be
// listed in the same way.
import {
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  NotFound,
  S3Client,
} from "@aws-sdk/client-s3";
import type { StoredObject } from "../core/stored-object.ts";
import { awsClient } from "./aws-client.ts";

export interface ObjectList {
  find(key: string): Promise<StoredObject | undefined>;
  /** All objects below `prefix` whose keys sort after `after`, in the keys' order. */
  objectsAfter(after: string, prefix?: string): AsyncIterable<StoredObject>;
}

export function openObjectList({ bucketName }: { readonly bucketName: string }): ObjectList {
  return listBucket(awsClient(new S3Client({})), bucketName);
}

export function listBucket(client: S3Client, bucket: string): ObjectList {
  return {
    async find(key) {
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return factsOf(key, head.ContentLength, head.ETag, head.LastModified);
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    async *objectsAfter(after, prefix = "") {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          ...(prefix === "" ? {} : { Prefix: prefix }),
          ...(after === "" ? {} : { StartAfter: after }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        const page: ListObjectsV2CommandOutput = await client.send(command);
        for (const { Key: key = "", Size, ETag, LastModified } of page.Contents ?? []) {
          yield factsOf(key, Size, ETag, LastModified);
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
  };
}

function factsOf(
  key: string,
  size: number | undefined,
  etag: string | undefined,
  modified: Date | undefined,
): StoredObject {
  const modifiedAt = (modified ?? new Date(0)).toISOString();
  return { key, size_bytes: size ?? 0, etag: etag ?? "", modified_at: modifiedAt };
}
