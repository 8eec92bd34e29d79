// Puts replies on the wire: documents whole, objects streamed segment by segment with the socket's back-pressure.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { S3Reply } from "./request.ts";
import type { PartFiles } from "./store/part-files.ts";
import { readSegmentBytes } from "./store/read-segments.ts";
import type { Segment } from "./store/segments.ts";
import { writeXml } from "./xml.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

export async function sendReply(outgoing: ServerResponse, reply: S3Reply, files: PartFiles): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) outgoing.setHeader(name, value);
  outgoing.statusCode = reply.status;
  if (reply.xml !== undefined) {
    sendXml(outgoing, writeXml(reply.xml.root, reply.xml.children, NAMESPACE));
  } else if (reply.content === undefined) {
    if (reply.status === 200 && !outgoing.hasHeader("content-length"))
      outgoing.setHeader("content-length", 0);
    outgoing.end();
  } else {
    await sendContent(outgoing, files, reply.content.segments);
  }
}

async function sendContent(
  outgoing: ServerResponse,
  files: PartFiles,
  segments: readonly Segment[],
): Promise<void> {
  const pair = files.buffers.take();
  let previous: Promise<void> = Promise.resolve();
  for await (const chunk of readSegmentBytes(files, segments, pair)) {
    await previous;
    previous = write(outgoing, chunk);
    // It is awaited with the next chunk; if reading that one fails first, the failure is not unheard of either.
    previous.catch(() => outgoing.destroy());
  }
  await previous;
  files.buffers.giveBack(pair);
  outgoing.end();
}

/** Resolves when the kernel has the chunk, so its buffer may be used again. */
function write(outgoing: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void =>
      reject(new Error("the client closed the connection before the object was sent"));
    if (outgoing.destroyed) {
      onClose();
      return;
    }
    outgoing.once("close", onClose);
    outgoing.write(chunk, (error) => {
      outgoing.off("close", onClose);
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

export function sendError(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  document: Readonly<Record<string, string | number>>,
  status: number,
): void {
  if (outgoing.headersSent) {
    // Part of an object is out: only a cut connection tells the client that the rest will not come.
    outgoing.destroy();
    return;
  }
  for (const name of outgoing.getHeaderNames()) {
    if (name !== "x-amz-request-id") outgoing.removeHeader(name);
  }
  // A client that was told to hold its body back will not send it now, so what follows would be misread.
  if (incoming.headers.expect !== undefined) outgoing.setHeader("connection", "close");
  outgoing.statusCode = status;
  if (status === 416) outgoing.setHeader("content-range", `bytes */${document.ActualObjectSize}`);
  const requestId = String(outgoing.getHeader("x-amz-request-id"));
  sendXml(outgoing, writeXml("Error", { ...document, RequestId: requestId }));
}

function sendXml(outgoing: ServerResponse, xml: string): void {
  outgoing.setHeader("content-type", "application/xml");
  outgoing.setHeader("content-length", Buffer.byteLength(xml));
  // Node leaves the body of an answer to HEAD out.
  outgoing.end(xml);
}
