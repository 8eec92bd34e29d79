// An archive behind a presigned URL, with nothing but HTTP: the archive may be another node's, whose prefix this node's
// own credentials cannot read. The URL is a secret and appears in no message.
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { BackupError } from "#shared/errors.ts";
import type { RangeSource } from "./object-reader.ts";
import { oneBuffer } from "./one-buffer.ts";

export interface UrlArchive {
  /** For messages, instead of the URL. */
  readonly label: string;
  readonly sizeBytes: number;
  /** As on record; an object that was replaced since is refused. */
  readonly etag: string;
  /** A URL that is good now; asked again with the one that the storage has refused. */
  readonly url: (refused: string | undefined) => Promise<string>;
}

/** Of silence, not of a whole range: a slow line is no fault. */
const SILENCE_MS = 60_000;
const MAX_SOCKETS = 8;

export function openUrlSource(archive: UrlArchive): RangeSource {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, onread: oneBuffer() };
  const agents = { "http:": new PlainAgent(options), "https:": new TlsAgent(options) };

  async function get(url: URL, range: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { range, "accept-encoding": "identity", "user-agent": "backupd" };
    const request =
      url.protocol === "https:"
        ? tlsRequest(url, { agent: agents["https:"], headers, signal, timeout: SILENCE_MS })
        : plainRequest(url, { agent: agents["http:"], headers, signal, timeout: SILENCE_MS });
    request.once("response", resolve);
    request.once("error", reject);
    request.once("timeout", () => request.destroy(new Error("the storage fell silent")));
    request.end();
    return await promise;
  }

  return {
    label: archive.label,
    sizeBytes: archive.sizeBytes,
    async open(offset, bytes, signal) {
      const range = `bytes=${offset}-${offset + bytes - 1}`;
      const url = await archive.url(undefined);
      let answer = await get(new URL(url), range, signal);
      if (answer.statusCode === 403 || answer.statusCode === 401) {
        answer.resume();
        answer = await get(new URL(await archive.url(url)), range, signal);
      }
      try {
        checkAnswer(answer, archive, offset, bytes);
      } catch (error) {
        answer.destroy();
        throw error;
      }
      return answer;
    },
    async [Symbol.asyncDispose]() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function checkAnswer(answer: IncomingMessage, archive: UrlArchive, offset: number, bytes: number): void {
  const { statusCode: status = 0, headers } = answer;
  const fail = (code: "archive_missing" | "archive_corrupt" | "storage_denied", what: string): BackupError =>
    new BackupError(code, { detail: `${archive.label}: ${what}` });
  if (status === 404) throw fail("archive_missing", "the storage does not have it");
  if (status === 401 || status === 403) throw fail("storage_denied", `HTTP ${status}`);
  if (status === 416) throw fail("archive_corrupt", "it is shorter than on record");
  if (status !== 206) {
    throw new BackupError("storage_failed", {
      detail: `${archive.label}: HTTP ${status} for a range`,
      // A storage without ranges will not learn it.
      data: { transient: status >= 500 || status === 429 },
    });
  }
  if (headers["content-range"] !== `bytes ${offset}-${offset + bytes - 1}/${archive.sizeBytes}`) {
    throw fail("archive_corrupt", "its size is not the one on record");
  }
  if (bareEtag(headers.etag) !== bareEtag(archive.etag))
    throw fail("archive_corrupt", "it has been replaced since");
}

function bareEtag(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', "");
}
