// As much of POSIX.1-2001 pax as the second reader needs: does a tar entry say what its line in the index says?
import type { SpecEntry } from "./spec-index.ts";
import { must } from "./spec-rules.ts";

const BLOCK = 512;
const TYPEFLAG = { f: "0", d: "5", l: "2", h: "1" } as const;

/** Checks the headers of `entry`, which ends at `end`, and returns where its content starts in the tar. */
export function readTarHeader(
  entry: SpecEntry,
  end: number,
  readTar: (from: number, to: number) => Buffer,
): number {
  let at = entry.tarOffset;
  let pax = new Map<string, Buffer>();
  let block = readTar(at, at + BLOCK);
  if (typeflag(block) === "x") {
    const size = octal(block, 124, 12);
    must(at + BLOCK + size <= end, "a pax header ends within its entry");
    pax = paxRecords(readTar(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    block = readTar(at, at + BLOCK);
  }
  must(at + BLOCK <= end && checksum(block) === octal(block, 148, 8), "checksum of a tar header");
  must(block.toString("latin1", 257, 262) === "ustar", "POSIX tar header");
  must(typeflag(block) === TYPEFLAG[entry.type], "type in tar and index");
  must(withoutSlash(pax.get("path") ?? ustarName(block)).equals(entry.name), "name in tar and index");
  must(Number(pax.get("size")?.toString() ?? octal(block, 124, 12)) === entry.size, "size in tar and index");
  if (entry.link !== undefined) {
    must((pax.get("linkpath") ?? text(block, 157, 100)).equals(entry.link), "link in tar and index");
  }
  return at + BLOCK;
}

/** "<length of the whole record> <key>=<value>\n", the length in decimal; values are bytes. */
function paxRecords(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(" ", at);
    const end = at + Number(bytes.toString("latin1", at, space));
    const equals = bytes.indexOf("=", space);
    must(equals > space && equals < end && bytes[end - 1] === 0x0a, "a pax record");
    records.set(bytes.toString("utf8", space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function ustarName(block: Buffer): Buffer {
  const prefix = text(block, 345, 155);
  const name = text(block, 0, 100);
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

function checksum(block: Buffer): number {
  const sum = block.reduce((total, byte) => total + byte, 0);
  return sum - block.subarray(148, 156).reduce((total, byte) => total + byte, 0) + 8 * 0x20;
}

function typeflag(block: Buffer): string {
  return block.toString("latin1", 156, 157);
}

function text(block: Buffer, at: number, bytes: number): Buffer {
  const field = block.subarray(at, at + bytes);
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

function octal(block: Buffer, at: number, bytes: number): number {
  const digits = text(block, at, bytes).toString("latin1").trim();
  must(/^[0-7]+$/.test(digits), "an octal number in a tar header");
  return Number.parseInt(digits, 8);
}

function withoutSlash(name: Buffer): Buffer {
  return name.at(-1) === 0x2f ? name.subarray(0, -1) : name;
}
