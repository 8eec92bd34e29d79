// The bucket, as far as the Master touches it: look, sign a download, remove. Archives never pass through here.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NotFound,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { awsClient } from "./aws-client.ts";

export interface Objects {
  /** The object's size, or undefined if there is none. */
  size(key: string): Promise<number | undefined>;
  /** A URL that gives the object to anybody for that long, to be saved as `fileName`. */
  presignGet(key: string, fileName: string, expiresSeconds: number): Promise<string>;
  remove(key: string): Promise<void>;
}

export function openObjects({ bucketName: bucket }: { readonly bucketName: string }): Objects {
  const client = awsClient(new S3Client({}));
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
