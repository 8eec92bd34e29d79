// The S3 client of the runner: bounded waits and retries, and credentials that are asked for anew when they run out in
// the middle of an upload.
import { S3Client } from "@aws-sdk/client-s3";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When to ask again; absent for static keys. */
  readonly expiration?: Date;
}

export interface S3Place {
  /** Absent on AWS. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly force_path_style?: boolean | undefined;
}

/** With the SDK's growing pauses some 10 s of trouble: little, beside the hours that an upload may have taken. */
const MAX_ATTEMPTS = 8;
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** Of silence, not of a whole part: a slow line is no fault. */
const SILENCE_MS = 60_000;

/** `credentials` is asked again shortly before what it gave expires. */
export function makeS3(
  place: S3Place,
  credentials: () => Promise<S3Credentials>,
  silenceMs: number = SILENCE_MS,
): S3Client {
  const client = new S3Client({
    region: place.region,
    credentials,
    maxAttempts: MAX_ATTEMPTS,
    // With it the SDK opens a connection for every part, TLS and all, and waits for an answer before it sends anything.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: silenceMs,
      httpsAgent: { keepAlive: true, maxSockets: 16 },
      httpAgent: { keepAlive: true, maxSockets: 16 },
    },
    // Addressed by IP or by a name without wildcard certificates, other providers need the bucket in the path.
    ...(place.endpoint === undefined
      ? {}
      : { endpoint: place.endpoint, forcePathStyle: place.force_path_style ?? true }),
  });
  if (isPrivateWire(place.endpoint)) leavePartsUnsigned(client);
  return client;
}

/** Where nobody on the way can change what is sent: TLS, or this very machine. */
function isPrivateWire(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true;
  const { protocol, hostname } = new URL(endpoint);
  return protocol === "https:" || LOOPBACK.has(hostname);
}

/**
 * A part's signature need not cover its body there: the checksum header is signed, and TLS does the rest. Saves a
 * SHA-256 of everything that is uploaded, at both ends.
 */
function leavePartsUnsigned(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName === "UploadPartCommand") {
        const headers: unknown = Reflect.get(Object(args.request), "headers");
        Object.assign(Object(headers), { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
      }
      return next(args);
    },
    { step: "build", name: "leavePartsUnsigned" },
  );
}
