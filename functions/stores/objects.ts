// A bucket, as far as the Master touches it: look, sign a download, remove. Archives never pass through here.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NotFound,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { BackupError } from "#shared/errors.ts";
import { awsClient } from "./aws-client.ts";

export interface ObjectRange {
  readonly offset: number;
  readonly bytes: number;
  readonly etag: string;
}

export interface Objects {
  /** The object's size, or undefined if there is none. */
  size(key: string): Promise<number | undefined>;
  /** Those bytes of the object, as they come. @throws BackupError `archive_unavailable` if it is not that object. */
  read(key: string, range: ObjectRange): Promise<AsyncIterable<Uint8Array>>;
  /** A URL that gives the object to anybody for that long, to be saved as `fileName`. */
  presignGet(key: string, fileName: string, expiresSeconds: number): Promise<string>;
  remove(key: string): Promise<void>;
}

/** The stack's own bucket. */
export function openOwnObjects({ bucketName }: { readonly bucketName: string }): Objects {
  return openObjects(awsClient(new S3Client({})), bucketName);
}

export function openObjects(client: S3Client, bucket: string): Objects {
  return {
    async size(key) {
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return head.ContentLength ?? 0;
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    async read(key, { offset, bytes, etag }) {
      const Range = `bytes=${offset}-${offset + bytes - 1}`;
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range, IfMatch: etag });
        const { Body: body } = await client.send(command);
        // In Node the SDK gives a Readable.
        return body as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw unavailable(error) ?? error;
      }
    },
    presignGet(key, fileName, expiresSeconds) {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        // File names are made of letters, digits and ._- only (shared/object-key.ts), so no quoting is needed.
        ResponseContentDisposition: `attachment; filename="${fileName}"`,
      });
      return getSignedUrl(client, command, { expiresIn: expiresSeconds });
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}

/** What is wrong with the object, if that is what the error says. */
function unavailable(error: unknown): BackupError | undefined {
  const reason = error instanceof Error ? UNAVAILABLE[error.name] : undefined;
  if (reason === undefined) return undefined;
  return new BackupError("archive_unavailable", { detail: reason, cause: error });
}

const UNAVAILABLE: Readonly<Record<string, string>> = {
  NoSuchKey: "The archive is gone from the bucket.",
  PreconditionFailed: "The bucket has another object in the archive's place.",
  InvalidRange: "The object in the bucket is shorter than the archive.",
  InvalidObjectState: "The archive is in a cold storage class and has to be brought back first.",
};
