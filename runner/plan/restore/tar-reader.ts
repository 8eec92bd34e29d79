// Reads a tar as it comes, in pieces of any size: headers are collected, content is passed on where it lies, so that
// nothing is copied and memory is bounded whatever the archive says.
import { corrupt } from "#shared/format/corrupt.ts";
import {
  decodePax,
  decodeRawHeader,
  decodeTarItem,
  type Extension,
  type RawHeader,
  TAR_BLOCK_BYTES,
  type TarItem,
} from "./tar-header.ts";

export interface TarSink {
  readonly entry: (item: TarItem) => void;
  /** All content of the last entry, in order. The bytes are the writer's: use them before returning. */
  readonly content: (bytes: Uint8Array) => void;
  readonly endEntry: () => void;
}

export interface TarReader {
  /** Throws `archive_corrupt`, or what the sink throws. */
  write(bytes: Uint8Array): void;
  /** Where an entry begins, or the end. */
  isBetween(): boolean;
  /** The zero blocks have begun. */
  isEnded(): boolean;
}

/** Names of 32 KiB need less; more is an attack on memory. */
const MAX_EXTENSION_BYTES = 1_048_576;

export function createTarReader(sink: TarSink): TarReader {
  /** What is collected of a header or an extension that did not come in one piece, which is rare. */
  let held: Buffer | undefined;
  let heldBytes = 0;
  let extending: { readonly typeflag: string; readonly bytes: number } | undefined;
  let contentLeft = 0;
  let paddingLeft = 0;
  let isInEntry = false;
  let isEnded = false;
  let common: Extension = {};
  let next: Extension = {};

  const atHeader = (block: Uint8Array): void => {
    if (isZero(block)) {
      isEnded = true;
      return;
    }
    const header = decodeRawHeader(block);
    if ("xgLK".includes(header.typeflag)) {
      beginExtension(header);
      return;
    }
    const item = decodeTarItem(header, { ...common, ...next });
    next = {};
    contentLeft = item.size;
    paddingLeft = padding(item.size);
    isInEntry = true;
    sink.entry(item);
    endIfDone();
  };
  const beginExtension = ({ typeflag, size }: RawHeader): void => {
    if (size === 0 || size > MAX_EXTENSION_BYTES)
      throw corrupt("A tar entry's extended header has an impossible length");
    extending = { typeflag, bytes: size };
    paddingLeft = padding(size);
  };
  const endExtension = (typeflag: string, bytes: Uint8Array): void => {
    if (typeflag === "x") next = { ...next, ...decodePax(bytes) };
    else if (typeflag === "g") common = { ...common, ...decodePax(bytes) };
    else next = { ...next, [typeflag === "L" ? "path" : "linkpath"]: longName(bytes) };
    extending = undefined;
  };
  const finish = (bytes: Uint8Array): void => {
    if (extending === undefined) atHeader(bytes);
    else endExtension(extending.typeflag, bytes);
  };
  const endIfDone = (): void => {
    if (contentLeft > 0 || !isInEntry) return;
    isInEntry = false;
    sink.endEntry();
  };
  /** Bytes of `bytes` from `at` that were used. */
  const collect = (bytes: Uint8Array, at: number): number => {
    const needed = extending?.bytes ?? TAR_BLOCK_BYTES;
    if (heldBytes === 0 && bytes.length - at >= needed) {
      finish(bytes.subarray(at, at + needed));
      return needed;
    }
    held ??= Buffer.alloc(needed);
    const piece = bytes.subarray(at, at + needed - heldBytes);
    held.set(piece, heldBytes);
    heldBytes += piece.length;
    if (heldBytes < needed) return piece.length;
    const whole = held;
    [held, heldBytes] = [undefined, 0];
    finish(whole);
    return piece.length;
  };
  return {
    write(bytes) {
      let at = 0;
      while (at < bytes.length && !isEnded) {
        if (contentLeft > 0) {
          const piece = bytes.subarray(at, at + contentLeft);
          sink.content(piece);
          contentLeft -= piece.length;
          at += piece.length;
          endIfDone();
        } else if (paddingLeft > 0 && extending === undefined) {
          const skipped = Math.min(paddingLeft, bytes.length - at);
          paddingLeft -= skipped;
          at += skipped;
        } else at += collect(bytes, at);
      }
    },
    isBetween: () =>
      contentLeft === 0 && paddingLeft === 0 && heldBytes === 0 && isPlain(next) && extending === undefined,
    isEnded: () => isEnded,
  };
}

function isPlain(extension: Extension): boolean {
  return Object.keys(extension).length === 0;
}

function padding(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function isZero(block: Uint8Array): boolean {
  return block[0] === 0 && block.every((byte) => byte === 0);
}

function longName(bytes: Uint8Array): string {
  const name = Buffer.from(bytes).toString("latin1").replace(/\0+$/, "");
  if (name === "" || name.includes("\0")) throw corrupt("A tar entry's long name is none");
  return name;
}
