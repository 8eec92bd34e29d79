// The SSM of the local stack, as far as we use it: SecureStrings with their versions, by the same calls and the same
// signatures as on AWS.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import * as z from "zod";
import { authenticate } from "#local/s3/authenticate.ts";
import type { CredentialSource } from "#local/s3/credentials.ts";
import { signedParts } from "#local/s3/handle-request.ts";
import { asS3Error } from "#local/s3/s3-error.ts";
import { parseTarget } from "#local/s3/target.ts";

export interface SsmOptions {
  /** By name; what is put goes in here. */
  readonly parameters: Record<string, string>;
  /** To keep what is put beyond this server's life. */
  readonly onPut?: (name: string, value: string) => Promise<void>;
  /** The stack's own keys. */
  readonly credentials: CredentialSource;
  readonly now: () => Date;
}

export interface SsmServer extends AsyncDisposable {
  readonly endpoint: string;
  /** What the call does; the new version. */
  put(name: string, value: string): number;
}

const PutParameter = z.object({
  Name: z.string(),
  Value: z.string(),
  Type: z.literal("SecureString"),
  Overwrite: z.boolean().default(false),
});
const GetParameter = z.object({ Name: z.string(), WithDecryption: z.boolean().default(false) });

/** On any free port: nothing outside this process calls it. */
export async function startSsm(options: SsmOptions): Promise<SsmServer> {
  const kept = keepVersions(options.parameters);
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, options, kept).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    put: (name, value) => kept.put(name, value),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface KeptVersions {
  put(name: string, value: string): number;
  /** `selector`: a name, or a name with `:` and a version. */
  get(selector: string): { value: string; version: number } | undefined;
}

function keepVersions(parameters: Record<string, string>): KeptVersions {
  const kept = new Map<string, string[]>();
  // What the owner of the parameters has changed by itself is a version, too.
  const versionsOf = (name: string): string[] => {
    const versions = kept.get(name) ?? [];
    const value = parameters[name];
    if (value !== undefined && value !== versions.at(-1)) versions.push(value);
    kept.set(name, versions);
    return versions;
  };
  return {
    put(name, value) {
      const versions = versionsOf(name);
      parameters[name] = value;
      return versions.push(value);
    },
    get(selector) {
      const [name = "", wanted] = selector.split(":");
      const all = versionsOf(name);
      const version = wanted === undefined ? all.length : Number(wanted);
      const value = all[version - 1];
      return value === undefined ? undefined : { value, version };
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { parameters, credentials, now, onPut }: SsmOptions,
  kept: KeptVersions,
): Promise<void> {
  const send = (status: number, body: object): void => {
    outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  };
  const body = await buffer(incoming);
  const { path, query } = parseTarget(incoming.url ?? "/");
  const hash = createHash("sha256").update(body).digest("hex");
  try {
    await authenticate(signedParts(incoming, path, query), { credentials, now, service: "ssm" }, hash);
  } catch (error) {
    return send(400, { __type: asS3Error(error).code });
  }
  const target = incoming.headers["x-amz-target"];
  if (target === "AmazonSSM.PutParameter") {
    const put = PutParameter.parse(JSON.parse(body.toString()));
    if (put.Name in parameters && !put.Overwrite) return send(400, { __type: "ParameterAlreadyExists" });
    const Version = kept.put(put.Name, put.Value);
    await onPut?.(put.Name, put.Value);
    return send(200, { Version, Tier: "Standard" });
  }
  if (target !== "AmazonSSM.GetParameter") return send(400, { __type: "InvalidAction" });
  const { Name, WithDecryption } = GetParameter.parse(JSON.parse(body.toString()));
  const found = kept.get(Name);
  if (found === undefined) return send(400, { __type: "ParameterNotFound" });
  // Without decryption it is KMS' ciphertext, which is of no use to anybody.
  const Value = WithDecryption ? found.value : createHash("sha256").update(found.value).digest("base64");
  send(200, { Parameter: { Name, Type: "SecureString", Value, Version: found.version } });
}
