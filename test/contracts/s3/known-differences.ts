// Where S3 servers that people use are known to differ from AWS: their cases are skipped with the reason printed, so
// that what is not proved on such a server can be read off the run. S3_TEST_SERVER names the server.

/** By the beginning of the case's name. */
export type Differences = Readonly<Record<string, string>>;

const NO_CHECKSUMS = "neither checks nor returns x-amz-checksum-*";
const NO_TRAILER = "takes no checksum trailer (411)";

/** Ceph RADOS Gateway 16.2. */
const CEPH_16: Differences = {
  "takes a stream with the SDK's default checksum trailer": NO_TRAILER,
  "verifies and returns ": NO_CHECKSUMS,
  "refuses a wrong CRC32": NO_CHECKSUMS,
  "refuses a wrong SHA-256": NO_CHECKSUMS,
  "joins CRC": NO_CHECKSUMS,
  "holds a composite checksum": NO_CHECKSUMS,
  "answers the range bytes=5-2": "answers a range that is none with 416 instead of the whole object",
  "refuses a range that begins past the end": "answers bytes=-0 with the whole object",
  "replaces only under If-Match": "answers PreconditionFailed where nothing is there (AWS: NoSuchKey)",
  "copies within and survives": "heeds no x-amz-copy-source-if-match",
  "refuses a copy from a source that is no longer": "heeds no x-amz-copy-source-if-match",
  "refuses a copy beyond the end": "refuses it with 416 InvalidRange (AWS: 400 InvalidArgument)",
  "joins parts that came out of order": "completes with an empty ETag",
  "answers a repeated Complete": "completes with an empty ETag the first time",
  "refuses bad order": "sorts the parts of a Complete itself",
  "completes only what is not there yet": "heeds no If-None-Match on CompleteMultipartUpload",
  "forgets an aborted upload": "answers InternalError to a Complete of an aborted upload (AWS: NoSuchUpload)",
  "refuses a request without a signature": "answers AccessDenied to an unknown key (AWS: InvalidAccessKeyId)",
  "serves a presigned URL as signed": "refuses a forged URL as AccessDenied (AWS: SignatureDoesNotMatch)",
  "refuses a presigned URL when": "refuses a late URL without the word expired",
  "checks every chunk of ": "refuses a changed chunk with 400 (AWS: 403), and takes no trailer",
  "answers what it cannot do": "answers 400 instead of 501",
  "copies parts below its own prefix": "refuses UploadPartCopy to every session (403); permanent keys may",
};

const SERVERS: Readonly<Record<string, Differences>> = { "ceph-16": CEPH_16 };

/** Of the server named, none for no name. Throws at a name that nobody knows. */
export function knownDifferences(server: string | undefined): Differences {
  if (server === undefined) return {};
  const differences = SERVERS[server];
  if (differences === undefined) {
    throw new Error(
      `S3_TEST_SERVER is one of ${Object.keys(SERVERS).join(", ")}, or unset for one that is as AWS`,
    );
  }
  return differences;
}
