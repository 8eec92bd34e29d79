// Counts what an S3 client asks, each retry included: requests are what a storage bills beside bytes.
import type { S3Client } from "@aws-sdk/client-s3";

/** The number so far. */
export function countRequests(s3: S3Client): () => number {
  let count = 0;
  s3.middlewareStack.add(
    (next) => (args) => {
      count += 1;
      return next(args);
    },
    // Inside the retries.
    { step: "deserialize", name: "countRequests" },
  );
  return () => count;
}
