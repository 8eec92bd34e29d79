// What a part carries to vouch for itself: always a checksum that is part of the signature; a signed hash of the body
// only where somebody on the way could change both.
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import type { Piece } from "#runner/io/archive.ts";
import { inOnePiece } from "#runner/io/compress.ts";
import { makeS3 } from "#runner/io/s3-client.ts";
import { sendParts } from "#runner/io/upload-parts.ts";

interface Received {
  /** Of each part. */
  readonly parts: IncomingHttpHeaders[];
  connections: number;
}

/** Parts of these contents, one after the other, each as large as S3 wants it, but the last. */
async function receive(host: string, contents: readonly Buffer[]): Promise<Received> {
  const received: Received = { parts: [], connections: 0 };
  const server = createServer((request, response) => {
    received.parts.push(request.headers);
    request.resume().on("end", () => response.writeHead(200, { etag: '"1"' }).end());
  });
  server.on("connection", () => {
    received.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const s3 = makeS3({ endpoint: `http://${host}:${port}`, region: "us-east-1" }, async () => ({
    accessKeyId: "AK",
    secretAccessKey: "SK",
  }));
  async function* pieces(): AsyncGenerator<Piece, void, undefined> {
    for (const content of contents) yield inOnePiece(content);
  }
  try {
    const input = { s3, pieces: pieces(), expectedBytes: 9, concurrency: 1 };
    const signal = new AbortController().signal;
    await sendParts({ ...input, signal }, { bucket: "b", key: "k", uploadId: "u" });
    return received;
  } finally {
    s3.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function headersOfPart(host: string): Promise<IncomingHttpHeaders> {
  const { parts } = await receive(host, [Buffer.from("123456789")]);
  return parts[0] ?? {};
}

/** The check value of CRC-32: its sum of "123456789" is cbf43926. */
const CRC32 = Buffer.from("cbf43926", "hex").toString("base64");

it("signs the checksum of a part and not its body on this machine (and over TLS)", async () => {
  const headers = await headersOfPart("127.0.0.1");
  expect(headers).toMatchObject({
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-checksum-crc32": CRC32,
  });
  expect(headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-checksum-crc32/);
});

it("signs the body as well where the wire is neither", async () => {
  const headers = await headersOfPart("127.0.0.2");
  expect(headers["x-amz-content-sha256"]).toMatch(/^[0-9a-f]{64}$/);
  expect(headers["x-amz-checksum-crc32"]).toBe(CRC32);
});

it("sends all parts over one connection, and waits for no leave to do so", async () => {
  const { parts, connections } = await receive("127.0.0.1", [Buffer.alloc(30 * 1_048_576, 7)]);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.map(({ expect: leave }) => leave)).toEqual(parts.map(() => undefined));
  expect(connections).toBe(1);
});
