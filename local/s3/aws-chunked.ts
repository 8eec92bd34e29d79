// Decodes the aws-chunked framing while it streams, and checks the signature chain of its signed modes: each
// chunk's signature covers the one before it, so a chunk cannot be altered, dropped or reordered (AWS S3 API,
// "Transferring payload in multiple chunks").
import { createHash } from "node:crypto";
import { type ChunkSigner, equalInConstantTime } from "./authenticate.ts";
import { hmac } from "./canonical-request.ts";
import { S3Error } from "./s3-error.ts";

const MAX_LINE_BYTES = 16 * 1024;
const EMPTY_SHA256 = createHash("sha256").digest("hex");

/** Yields the data and returns the trailers by lower-case name. With a signer, every chunk must be signed. */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  signer: ChunkSigner | undefined,
): AsyncGenerator<Buffer, ReadonlyMap<string, string>> {
  const input = new ChunkReader(source);
  const chain = signer === undefined ? undefined : new SignatureChain(signer);
  try {
    for (;;) {
      const { bytes, signature } = parseChunkHeader(await input.line());
      const hash = chain === undefined ? undefined : createHash("sha256");
      for (let left = bytes; left > 0; ) {
        const piece = await input.upTo(left);
        hash?.update(piece);
        left -= piece.length;
        yield piece;
      }
      if (hash !== undefined) chain?.checkChunk(hash.digest("hex"), signature);
      if (bytes === 0) return await readTrailers(input, chain);
      if ((await input.line()) !== "") throw incomplete("a chunk does not end where its header says");
    }
  } finally {
    await input.close();
  }
}

function parseChunkHeader(line: string): { bytes: number; signature: string } {
  const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (match === null) throw incomplete("a chunk header is malformed");
  return { bytes: Number.parseInt(match[1] ?? "", 16), signature: match[2] ?? "" };
}

async function readTrailers(
  input: ChunkReader,
  chain: SignatureChain | undefined,
): Promise<ReadonlyMap<string, string>> {
  const trailers = new Map<string, string>();
  let canonical = "";
  for (
    let line = await input.lineOrEnd();
    line !== undefined && line !== "";
    line = await input.lineOrEnd()
  ) {
    const colon = line.indexOf(":");
    if (colon < 1 || trailers.size > 16)
      throw new S3Error("MalformedTrailerError", "A trailer is malformed.");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    trailers.set(name, value);
    if (name !== "x-amz-trailer-signature") canonical += `${name}:${value}\n`;
  }
  if (canonical !== "") chain?.checkTrailer(canonical, trailers.get("x-amz-trailer-signature") ?? "");
  // What follows the frame is not data; reading it to its end lets the connection serve the next request.
  await input.drain();
  return trailers;
}

class SignatureChain {
  readonly #signer: ChunkSigner;
  #previous: string;

  constructor(signer: ChunkSigner) {
    this.#signer = signer;
    this.#previous = signer.seedSignature;
  }

  checkChunk(dataHash: string, signature: string): void {
    this.#check("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_SHA256}\n${dataHash}`, signature);
  }

  checkTrailer(canonical: string, signature: string): void {
    this.#check("AWS4-HMAC-SHA256-TRAILER", createHash("sha256").update(canonical).digest("hex"), signature);
  }

  #check(algorithm: string, hashes: string, signature: string): void {
    const { key, timestamp, scope } = this.#signer;
    const toSign = [algorithm, timestamp, scope, this.#previous, hashes].join("\n");
    const expected = hmac(key, toSign).toString("hex");
    if (!equalInConstantTime(expected, signature)) {
      throw new S3Error("SignatureDoesNotMatch", "The signature of a chunk does not match its data.");
    }
    this.#previous = expected;
  }
}

/** Lines and byte runs out of a stream of buffers, without copying data. */
class ChunkReader {
  readonly #iterator: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === undefined) throw incomplete("the body ends within its framing");
    return line;
  }

  async lineOrEnd(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf(10);
      if (end >= 0) {
        const line = this.#buffer.toString("latin1", 0, end).replace(/\r$/, "");
        this.#buffer = this.#buffer.subarray(end + 1);
        return line;
      }
      if (this.#buffer.length > MAX_LINE_BYTES) throw incomplete("a line of the framing is too long");
      const more = await this.#next();
      if (more === undefined) return undefined;
      this.#buffer = this.#buffer.length === 0 ? more : Buffer.concat([this.#buffer, more]);
    }
  }

  async upTo(maxBytes: number): Promise<Buffer> {
    if (this.#buffer.length === 0) this.#buffer = (await this.#next()) ?? Buffer.alloc(0);
    if (this.#buffer.length === 0) throw incomplete("the body ends within a chunk");
    const piece = this.#buffer.subarray(0, maxBytes);
    this.#buffer = this.#buffer.subarray(piece.length);
    return piece;
  }

  async drain(): Promise<void> {
    this.#buffer = Buffer.alloc(0);
    for (let more = await this.#next(); more !== undefined; ) more = await this.#next();
  }

  /** Lets go of the source, so that the server can discard what is left of a refused body. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #next(): Promise<Buffer | undefined> {
    const next = await this.#iterator.next();
    return next.done === true ? undefined : next.value;
  }
}

function incomplete(why: string): S3Error {
  return new S3Error("IncompleteBody", `The aws-chunked body is malformed: ${why}.`);
}
