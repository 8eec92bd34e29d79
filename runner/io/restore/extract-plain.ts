// Extracts a `.tar.zst` of another tool, or one of ours that lost its end: read from the beginning to the end, with no
// hash to check and no size known before.
import { on } from "node:events";
import { Worker } from "node:worker_threads";
import { BackupError } from "#shared/errors.ts";
import { DATABASE_NAME } from "../../plan/restore/select-entries.ts";
import { freeBytes } from "../disk.ts";
import { workerUrl } from "../worker-url.ts";
import type { Extracted, ExtractOptions } from "./extract-archive.ts";
import type { PlainArchive } from "./open-archive.ts";
import { openEmptyTarget } from "./open-target.ts";
import type { FromPlainExtractor, PlainInput, PlainSummary, ToPlainExtractor } from "./plain-protocol.ts";
import { unzstd } from "./unzstd-stream.ts";

export interface PlainExtractOptions extends Omit<ExtractOptions, "archive"> {
  readonly archive: PlainArchive;
}

/** Left free, so that a bomb does not fill the disk that the site lives on. */
const RESERVE_BYTES = 67_108_864;
const BYTES_AHEAD = 4_194_304;

/** @throws BackupError `archive_*`, `disk_full`, `restore_*`; the signal's reason. */
export async function extractPlain(options: PlainExtractOptions): Promise<Extracted> {
  const { archive, selection, targetDir, owners, signal, onProgress } = options;
  using target = await openEmptyTarget(targetDir);
  const budgetBytes = (await freeBytes(targetDir)) - RESERVE_BYTES;
  const workerData: PlainInput = { root: target.prefix, owners, selection, budgetBytes };
  const worker = new Worker(workerUrl("plain-worker", import.meta.url), { workerData });
  const messages: AsyncIterator<unknown> = on(worker, "message", { signal, close: ["exit"] });
  const receive = async (): Promise<Exclude<FromPlainExtractor, { type: "failed" }>> => {
    const { value, done } = await messages.next();
    if (done) throw new BackupError("unexpected", { detail: "The extracting thread ended without a word" });
    const [message] = value as [FromPlainExtractor];
    if (message.type === "failed") throw new BackupError(message.code, { detail: message.detail });
    return message;
  };
  const tell = (message: ToPlainExtractor): void => worker.postMessage(message);
  const bytesTotal = archive.reader.sizeBytes;
  onProgress?.({ bytesTotal, bytesDone: 0 });
  try {
    let ahead = 0;
    for await (const bytes of unzstd(archive.reader.read(0, bytesTotal, signal))) {
      tell({ type: "tar", bytes });
      ahead += bytes.length;
      while (ahead > BYTES_AHEAD) ahead -= bytesOf(await receive());
      onProgress?.({ bytesTotal, bytesDone: Math.min(bytesTotal, archive.reader.traffic().bytes) });
    }
    tell({ type: "end" });
    for (;;) {
      const message = await receive();
      if (message.type === "done") return extractedOf(message.summary);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await worker.terminate();
  }
}

function bytesOf(message: FromPlainExtractor): number {
  return message.type === "tar-done" ? message.bytes : 0;
}

function extractedOf({ hasDb, ...summary }: PlainSummary): Extracted {
  return hasDb ? { ...summary, dbPath: DATABASE_NAME } : summary;
}
