// One authenticated request as the operations see it, and the reply they return: the operations know nothing of
// sockets, and all of them share one way to read headers, check permission and receive a body.
import type { IncomingMessage, ServerResponse } from "node:http";
import { evaluatePolicy } from "#local/sts/policy.ts";
import type { Authentication } from "./authenticate.ts";
import { type PayloadOptions, type PayloadSummary, receivePayload } from "./payload.ts";
import { S3Error } from "./s3-error.ts";
import type { Segment } from "./store/segments.ts";
import type { Store } from "./store/store.ts";
import type { Target } from "./target.ts";
import type { XmlElements } from "./xml.ts";

const MAX_XML_BYTES = 4 * 1024 * 1024;

export interface S3Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: { readonly root: string; readonly children: XmlElements };
  /** Bytes to stream; `release` is called when they are sent or nobody wants them any more. */
  readonly content?: { readonly segments: readonly Segment[]; readonly release: () => Promise<void> };
}

export interface S3Context {
  readonly store: Store;
  readonly now: () => Date;
}

export type Operation = (request: S3Request, context: S3Context) => Promise<S3Reply> | S3Reply;

export class S3Request {
  readonly bucket: string;
  readonly key: string;
  readonly #target: Target;
  readonly #authentication: Authentication;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;

  constructor(
    target: Target,
    authentication: Authentication,
    http: { incoming: IncomingMessage; outgoing: ServerResponse },
  ) {
    this.bucket = target.bucket;
    this.key = target.key;
    this.#target = target;
    this.#authentication = authentication;
    this.#incoming = http.incoming;
    this.#outgoing = http.outgoing;
  }

  query(name: string): string | undefined {
    return this.#target.query.find(([candidate]) => candidate === name)?.[1];
  }

  /** A header, which presigned URLs may also carry in their query. */
  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    if (value !== undefined) return Array.isArray(value) ? value.join(", ") : value;
    if (!this.#authentication.presigned || !name.startsWith("x-amz-")) return undefined;
    return this.#target.query.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
  }

  /** All headers with a prefix, without it. */
  headersWith(prefix: string): [name: string, value: string][] {
    const fromQuery = this.#authentication.presigned
      ? this.#target.query.map(([name]) => name.toLowerCase())
      : [];
    const names = new Set([...Object.keys(this.#incoming.headers), ...fromQuery]);
    return [...names]
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), this.header(name) ?? ""]);
  }

  /** Whether the signer may do `action` (without "s3:") on a key, or on the bucket itself. */
  may(action: string, resource: { bucket?: string; key?: string } = {}): boolean {
    const policy = this.#authentication.credential.policy;
    if (policy === undefined) return true;
    const bucket = resource.bucket ?? this.bucket;
    const path = resource.key === undefined ? bucket : `${bucket}/${resource.key}`;
    return evaluatePolicy(policy, `s3:${action}`, `arn:aws:s3:::${path}`);
  }

  require(action: string, resource: { bucket?: string; key?: string } = {}): void {
    if (!this.may(action, resource))
      throw new S3Error("AccessDenied", `The session policy does not allow s3:${action}.`);
  }

  /** Streams the verified body to `sink`; see receivePayload. */
  async receive(
    options: Omit<PayloadOptions, "authentication" | "header">,
    sink: (chunk: Buffer) => Promise<void> | void,
  ): Promise<PayloadSummary> {
    if (this.#incoming.headers.expect !== undefined) this.#outgoing.writeContinue();
    const source: AsyncIterable<Buffer> = {
      // A refused body must not take the connection down: the client has yet to read why.
      [Symbol.asyncIterator]: () => this.#incoming.iterator({ destroyOnReturn: false }),
    };
    const header = (name: string): string | undefined => this.header(name);
    return receivePayload(source, { ...options, authentication: this.#authentication, header }, sink);
  }

  async receiveText(): Promise<string> {
    const chunks: Buffer[] = [];
    await this.receive({ maxBytes: MAX_XML_BYTES, md5: false }, (chunk) => {
      chunks.push(chunk);
    });
    return Buffer.concat(chunks).toString("utf8");
  }
}
