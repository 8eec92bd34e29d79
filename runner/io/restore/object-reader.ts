// Reads ranges of one archive, wherever it lies, with patience: a connection that drops in the middle is taken up
// again where it ended, so that hours of restoring do not hang on one of them.
import { asBackupError, BackupError } from "#shared/errors.ts";
import type { Clock } from "../../clock.ts";
import { type Backoff, backoffMs } from "../../plan/backoff.ts";
import { drainPieces, freeingPieces, type TakePiece } from "./drain-pieces.ts";

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
  /**
   * The same for a lot of bytes. What `take` throws must be the signal's reason by then: anything else is taken for the
   * source's, and tried again.
   */
  pour(offset: number, bytes: number, signal: AbortSignal, take: TakePiece): Promise<void>;
  /** So far, retries included. */
  traffic(): { readonly requests: number; readonly bytes: number };
}

interface Range {
  isDone(): boolean;
  /** An answer with what is missing. */
  open(): Promise<AsyncIterable<Uint8Array>>;
  count(piece: Uint8Array): void;
  /** @throws if something is missing still. */
  ended(): void;
  /** Resolves when it is time to try again. @throws the signal's reason; BackupError if there is no use in it. */
  failed(thrown: unknown): Promise<void>;
}

/** Of tries in a row that bring nothing. With the pauses, about a minute. */
const MAX_VAIN_TRIES = 8;
const BACKOFF: Backoff = { baseMs: 500, capMs: 15_000 };

export function openObjectReader(source: RangeSource, clock: Clock): ObjectReader {
  let requests = 0;
  let received = 0;

  /** A range that is read in as many answers as it takes. */
  function startRange(offset: number, bytes: number, signal: AbortSignal): Range {
    let done = 0;
    let vainTries = 0;
    return {
      isDone: () => done >= bytes,
      async open() {
        signal.throwIfAborted();
        requests += 1;
        return await source.open(offset + done, bytes - done, signal);
      },
      count(piece) {
        received += piece.length;
        if (piece.length > bytes - done) throw tooMuch(source.label);
        done += piece.length;
        vainTries = 0;
      },
      ended() {
        if (done < bytes) throw new Error(`the answer ended ${bytes - done} bytes early`);
      },
      async failed(thrown) {
        signal.throwIfAborted();
        const error = asReadError(thrown, source.label);
        vainTries += 1;
        if (error.data?.transient !== true || vainTries >= MAX_VAIN_TRIES) throw error;
        await clock.sleep(backoffMs(BACKOFF, vainTries - 1, clock.random()), signal);
      },
    };
  }

  async function* read(
    offset: number,
    bytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const range = startRange(offset, bytes, signal);
    while (!range.isDone()) {
      try {
        for await (const piece of freeingPieces(await range.open())) {
          range.count(piece);
          yield piece;
        }
        range.ended();
      } catch (thrown) {
        await range.failed(thrown);
      }
    }
  }

  async function pour(offset: number, bytes: number, signal: AbortSignal, take: TakePiece): Promise<void> {
    const range = startRange(offset, bytes, signal);
    while (!range.isDone()) {
      try {
        await drainPieces(await range.open(), (piece) => {
          range.count(piece);
          return take(piece);
        });
        range.ended();
      } catch (thrown) {
        await range.failed(thrown);
      }
    }
  }

  return {
    label: source.label,
    sizeBytes: source.sizeBytes,
    read,
    pour,
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
