// The STS of the local stack, so that nodes get the same kind of narrow, short-lived credentials here as on AWS
// and the object store next door enforces them: AssumeRole and GetCallerIdentity of the Query protocol.
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { authenticate } from "#local/s3/authenticate.ts";
import type { CredentialSource } from "#local/s3/credentials.ts";
import { signedParts } from "#local/s3/handle-request.ts";
import { asS3Error } from "#local/s3/s3-error.ts";
import { parseTarget } from "#local/s3/target.ts";
import { writeXml, type XmlElements } from "#local/s3/xml.ts";
import { type AssumeRoleDeps, assumeRole } from "./assume-role.ts";
import { SessionStore } from "./session-store.ts";
import { StsError } from "./sts-error.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
const ACCOUNT = "000000000000";
const MAX_BODY_BYTES = 64 * 1024;

// STS names the failures of a signature otherwise than S3.
const STS_CODES: Readonly<Record<string, string>> = {
  AuthorizationHeaderMalformed: "IncompleteSignature",
  InvalidAccessKeyId: "InvalidClientTokenId",
  InvalidToken: "InvalidClientTokenId",
  RequestTimeTooSkewed: "SignatureDoesNotMatch",
};

export interface StsOptions {
  /** Holds sessions.sqlite. */
  readonly dataDir: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: "127.0.0.1";
  /** The stack's own keys: only they may assume roles. */
  readonly credentials: CredentialSource;
  readonly now: () => Date;
  readonly log?: (event: object) => void;
  readonly sessionSeconds?: AssumeRoleDeps["sessionSeconds"];
}

export interface StsServer {
  readonly endpoint: string;
  readonly port: number;
  /** The stack's own keys and all temporary credentials: what the object store should trust. */
  readonly credentials: CredentialSource;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startSts(options: StsOptions): Promise<StsServer> {
  const host = options.host ?? "127.0.0.1";
  const sessions = new SessionStore(options.dataDir);
  const everyone: CredentialSource = {
    find: async (accessKeyId) => (await options.credentials.find(accessKeyId)) ?? sessions.find(accessKeyId),
  };
  const { now, sessionSeconds } = options;
  const deps = { sessions, now, sessionSeconds, credentials: everyone };
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, deps).catch((error: unknown) => {
      options.log?.({ event: "sts.failed", error });
      outgoing.destroy();
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, host, resolve);
    });
  } catch (error) {
    sessions.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const closeOnce = (): Promise<void> => {
    closed ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }).then(() => sessions.close());
    return closed;
  };
  return {
    endpoint: `http://${host}:${port}`,
    port,
    credentials: everyone,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

interface StsDeps extends AssumeRoleDeps {
  readonly credentials: CredentialSource;
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, deps: StsDeps): Promise<void> {
  const requestId = randomUUID();
  const send = (status: number, xml: string): void => {
    outgoing.writeHead(status, { "content-type": "text/xml", "x-amzn-requestid": requestId }).end(xml);
  };
  try {
    const { action, result } = await act(incoming, deps);
    const children = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
    send(200, writeXml(`${action}Response`, children, NAMESPACE));
  } catch (error) {
    const known = error instanceof StsError ? error : asS3Error(error);
    if (known.status >= 500) throw error;
    const Code = STS_CODES[known.code] ?? known.code;
    const children = { Error: { Type: "Sender", Code, Message: known.message }, RequestId: requestId };
    send(known.status, writeXml("ErrorResponse", children, NAMESPACE));
  }
}

async function act(
  incoming: IncomingMessage,
  deps: StsDeps,
): Promise<{ action: string; result: XmlElements }> {
  const body = await readBody(incoming);
  const target = parseTarget(incoming.url ?? "/");
  const bodyHash = createHash("sha256").update(body).digest("hex");
  const parts = signedParts(incoming, target.path, target.query);
  const { accessKeyId, credential } = await authenticate(parts, { ...deps, service: "sts" }, bodyHash);
  const parameters = new URLSearchParams(body.toString("utf8"));
  const action = parameters.get("Action") ?? "";
  if (action === "GetCallerIdentity") {
    const session = deps.sessions.find(accessKeyId);
    return {
      action,
      result: {
        UserId: session?.assumedRoleId ?? accessKeyId,
        Account: session?.assumedRoleArn.split(":")[4] ?? ACCOUNT,
        Arn: session?.assumedRoleArn ?? `arn:aws:iam::${ACCOUNT}:root`,
      },
    };
  }
  if (action !== "AssumeRole") throw new StsError("InvalidAction", `This STS does not implement ${action}.`);
  // Roles here have no trust policies, so a node's session must not be a way to a wider one.
  if (credential.sessionToken !== undefined) {
    throw new StsError("AccessDenied", "Temporary credentials are not authorized to perform sts:AssumeRole");
  }
  return { action, result: assumeRole(parameters, deps) };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new StsError("ValidationError", "The request is too long.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
