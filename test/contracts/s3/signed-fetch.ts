// Signs requests by hand, written apart from the server's code, so that the suite can send what an SDK never would.
import { createHash, createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import type { S3Subject } from "./subject.ts";

export interface RawRequest {
  readonly method: string;
  /** Already percent-encoded. */
  readonly path: string;
  /** Already in canonical form. */
  readonly query?: string;
  readonly body: Buffer;
  /** By default s3. */
  readonly service?: "iam";
  readonly contentType?: string;
  /** A SHA-256 or a STREAMING- mode; by default the body's true hash. */
  readonly payloadHash?: string;
  /** The chunks of a STREAMING- mode. */
  readonly chunks?: readonly Buffer[];
  /** Changes a byte of the last chunk after signing. */
  readonly tamper?: boolean;
}

const hash = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const mac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export async function signedFetch(subject: S3Subject, request: RawRequest): Promise<Response> {
  const timestamp = `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  const date = timestamp.slice(0, 8);
  const service = request.service ?? "s3";
  const scope = `${date}/${subject.region}/${service}/aws4_request`;
  const payloadHash = request.payloadHash ?? hash(request.body);
  const trailer = payloadHash.endsWith("-TRAILER");
  const headers: Record<string, string> = {
    host: new URL(subject.endpoint).host,
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": timestamp,
    ...(request.contentType === undefined ? {} : { "content-type": request.contentType }),
    ...(request.chunks === undefined ? {} : { "x-amz-decoded-content-length": `${request.body.length}` }),
    ...(trailer ? { "x-amz-trailer": "x-amz-checksum-crc32" } : {}),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    request.path,
    request.query ?? "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const key = [date, subject.region, service, "aws4_request"].reduce<string | Buffer>(
    mac,
    `AWS4${subject.credentials.secretAccessKey}`,
  ) as Buffer;
  const signature = mac(key, ["AWS4-HMAC-SHA256", timestamp, scope, hash(canonical)].join("\n")).toString(
    "hex",
  );
  const credential = `${subject.credentials.accessKeyId}/${scope}`;
  const { host: _host, ...sent } = headers;
  const body =
    request.chunks === undefined
      ? request.body
      : frame(request.chunks, { key, timestamp, scope, signature, trailer, tamper: request.tamper === true });
  return fetch(
    `${subject.endpoint}${request.path}${request.query === undefined ? "" : `?${request.query}`}`,
    {
      method: request.method,
      headers: {
        ...sent,
        authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
      },
      ...(request.method === "GET" ? {} : { body: new Uint8Array(body) }),
    },
  );
}

interface Chain {
  readonly key: Buffer;
  readonly timestamp: string;
  readonly scope: string;
  readonly signature: string;
  readonly trailer: boolean;
  readonly tamper: boolean;
}

function frame(chunks: readonly Buffer[], chain: Chain): Buffer {
  let previous = chain.signature;
  const sign = (algorithm: string, ...hashes: string[]): string => {
    const toSign = [algorithm, chain.timestamp, chain.scope, previous, ...hashes].join("\n");
    previous = mac(chain.key, toSign).toString("hex");
    return previous;
  };
  const framed = [...chunks, Buffer.alloc(0)].flatMap((chunk, index) => {
    const signature = sign("AWS4-HMAC-SHA256-PAYLOAD", hash(""), hash(chunk));
    const data = Buffer.from(chunk);
    if (chain.tamper && index === chunks.length - 1) data[0] = (data[0] ?? 0) ^ 1;
    const head = Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signature}\r\n`);
    return chunk.length === 0 ? [head] : [head, data, Buffer.from("\r\n")];
  });
  if (!chain.trailer) return Buffer.concat([...framed, Buffer.from("\r\n")]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.concat(chunks)));
  const line = `x-amz-checksum-crc32:${sum.toString("base64")}`;
  const signature = sign("AWS4-HMAC-SHA256-TRAILER", hash(`${line}\n`));
  return Buffer.concat([...framed, Buffer.from(`${line}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`)]);
}
