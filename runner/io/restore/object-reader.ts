// Reads ranges of one archive, wherever it lies, with patience: a connection that drops in the middle is taken up
// again where it ended, so that hours of restoring do not hang on one of them.
import { asBackupError, BackupError } from "#shared/errors.ts";
import type { Clock } from "../../clock.ts";
import { type Backoff, backoffMs } from "../../plan/backoff.ts";

/** One place that archives lie in. A part of a range is no part of an answer: resuming is the reader's business. */
export interface RangeSource extends AsyncDisposable {
  /** For messages. */
  readonly label: string;
  readonly sizeBytes: number;
  /** @throws BackupError; with `data.transient` where asking again may help. What the iteration throws may be anything. */
  readonly open: (offset: number, bytes: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
}

export interface ObjectReader extends AsyncDisposable {
  readonly label: string;
  readonly sizeBytes: number;
  /** Exactly these bytes, in pieces; each is good until the next is asked for. @throws BackupError `storage_*`, `archive_*`; the signal's reason. */
  read(offset: number, bytes: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** So far, retries included. */
  traffic(): { readonly requests: number; readonly bytes: number };
}

/** Of tries in a row that bring nothing. With the pauses, about a minute. */
const MAX_VAIN_TRIES = 8;
const BACKOFF: Backoff = { baseMs: 500, capMs: 15_000 };

export function openObjectReader(source: RangeSource, clock: Clock): ObjectReader {
  let requests = 0;
  let received = 0;

  async function* read(
    offset: number,
    bytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let done = 0;
    let vainTries = 0;
    while (done < bytes) {
      signal.throwIfAborted();
      try {
        requests += 1;
        for await (const piece of await source.open(offset + done, bytes - done, signal)) {
          received += piece.length;
          if (piece.length > bytes - done) throw tooMuch(source.label);
          done += piece.length;
          vainTries = 0;
          yield piece;
        }
        if (done < bytes) throw new Error(`the answer ended ${bytes - done} bytes early`);
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asReadError(thrown, source.label);
        vainTries += 1;
        if (error.data?.transient !== true || vainTries >= MAX_VAIN_TRIES) throw error;
        await clock.sleep(backoffMs(BACKOFF, vainTries - 1, clock.random()), signal);
      }
    }
  }

  return {
    label: source.label,
    sizeBytes: source.sizeBytes,
    read,
    traffic: () => ({ requests, bytes: received }),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** All of a small range. */
export async function readWhole(
  reader: ObjectReader,
  offset: number,
  bytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for await (const piece of reader.read(offset, bytes, signal)) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A socket's error in the middle of a body is no BackupError, and can always be tried again. */
function asReadError(thrown: unknown, label: string): BackupError {
  if (thrown instanceof BackupError) return thrown;
  const { message } = asBackupError(thrown, "storage_unreachable");
  return new BackupError("storage_unreachable", {
    detail: `${label}: ${message}`,
    cause: thrown,
    data: { transient: true },
  });
}

function tooMuch(label: string): BackupError {
  return new BackupError("storage_failed", { detail: `${label}: the storage sent more than was asked for` });
}
