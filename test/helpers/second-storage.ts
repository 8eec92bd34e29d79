// Another S3 server with keys of its own and one bucket: what a storage provider with static keys is in tests.
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { staticCredentials } from "#local/s3/credentials.ts";
import type { S3FaultHook } from "#local/s3/faults.ts";
import { type S3Server, startS3 } from "#local/s3/server.ts";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";

export interface SecondStorage extends AsyncDisposable {
  readonly server: S3Server;
  readonly client: S3Client;
  readonly keys: { readonly access_key_id: string; readonly secret_access_key: string };
  /** For `POST /storage/providers`. */
  readonly provider: {
    readonly kind: "s3";
    readonly name: string;
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly access_key_id: string;
    readonly secret_access_key: string;
  };
  readonly wire: { fault: S3FaultHook };
}

const BUCKET = "elsewhere";

export async function startSecondStorage(
  secret = "another+Storage/Secret0for=tests",
): Promise<SecondStorage> {
  await using starting = new AsyncDisposableStack();
  const { path: dataDir } = starting.use(await makeTempDir());
  const wire: SecondStorage["wire"] = { fault: () => undefined };
  const keys = { access_key_id: "ELSEWHERE", secret_access_key: secret };
  const server = starting.use(
    await startS3({
      dataDir,
      port: 0,
      credentials: staticCredentials({ [keys.access_key_id]: { secretAccessKey: secret } }),
      now: () => new Date(),
      faults: (request) => wire.fault(request),
    }),
  );
  const client = new S3Client({
    region: "us-east-1",
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: keys.access_key_id, secretAccessKey: secret },
  });
  starting.defer(() => client.destroy());
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const running = starting.move();
  return {
    server,
    client,
    keys,
    wire,
    provider: {
      kind: "s3",
      name: "elsewhere",
      endpoint: server.endpoint,
      region: "us-east-1",
      bucket: BUCKET,
      ...keys,
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
