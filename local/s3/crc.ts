// CRC-32C and CRC-64/NVME, which node:zlib lacks: one slicing-by-8 engine over a 64-bit reflected register held
// as two 32-bit halves (a 32-bit CRC simply leaves the upper half zero), and the arithmetic to join CRCs.

export interface CrcKind {
  readonly bits: 32 | 64;
  /** Reflected polynomial. */
  readonly polynomial: bigint;
}

export const CRC32: CrcKind = { bits: 32, polynomial: 0xedb88320n };
export const CRC32C: CrcKind = { bits: 32, polynomial: 0x82f63b78n };
export const CRC64NVME: CrcKind = { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n };

interface Tables {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** Entry `k * 256 + byte` is the register after `byte` and then `k` zero bytes. */
function buildTables(kind: CrcKind): Tables {
  const low = new Uint32Array(8 * 256);
  const high = new Uint32Array(8 * 256);
  const registers: bigint[] = [];
  for (let byte = 0; byte < 256; byte++) {
    let register = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      register = (register & 1n) === 1n ? (register >> 1n) ^ kind.polynomial : register >> 1n;
    }
    registers.push(register);
  }
  const single = [...registers];
  for (let slice = 0; slice < 8; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const register = registers[byte] ?? 0n;
      low[slice * 256 + byte] = Number(register & 0xffffffffn);
      high[slice * 256 + byte] = Number(register >> 32n);
      registers[byte] = (register >> 8n) ^ (single[Number(register & 255n)] ?? 0n);
    }
  }
  return { low, high };
}

const tablesByKind = new Map<CrcKind, Tables>();

export class RunningCrc {
  readonly #kind: CrcKind;
  readonly #tables: Tables;
  #low = 0xffffffff;
  #high: number;

  constructor(kind: CrcKind) {
    this.#kind = kind;
    this.#tables = tablesByKind.get(kind) ?? buildTables(kind);
    tablesByKind.set(kind, this.#tables);
    this.#high = kind.bits === 64 ? 0xffffffff : 0;
  }

  update(chunk: Uint8Array): void {
    const { low: lowTable, high: highTable } = this.#tables;
    const at = (table: Uint32Array, index: number): number => table[index] as number;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const whole = chunk.length - (chunk.length % 8);
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < whole; index += 8) {
      const a = low ^ view.getUint32(index, true);
      const b = high ^ view.getUint32(index + 4, true);
      const i0 = 1792 + (a & 255);
      const i1 = 1536 + ((a >>> 8) & 255);
      const i2 = 1280 + ((a >>> 16) & 255);
      const i3 = 1024 + (a >>> 24);
      const i4 = 768 + (b & 255);
      const i5 = 512 + ((b >>> 8) & 255);
      const i6 = 256 + ((b >>> 16) & 255);
      const i7 = b >>> 24;
      low =
        at(lowTable, i0) ^
        at(lowTable, i1) ^
        at(lowTable, i2) ^
        at(lowTable, i3) ^
        at(lowTable, i4) ^
        at(lowTable, i5) ^
        at(lowTable, i6) ^
        at(lowTable, i7);
      high =
        at(highTable, i0) ^
        at(highTable, i1) ^
        at(highTable, i2) ^
        at(highTable, i3) ^
        at(highTable, i4) ^
        at(highTable, i5) ^
        at(highTable, i6) ^
        at(highTable, i7);
    }
    for (let index = whole; index < chunk.length; index++) {
      const entry = (low ^ (chunk[index] ?? 0)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ at(lowTable, entry);
      high = (high >>> 8) ^ at(highTable, entry);
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }

  /** Big-endian, as S3 writes it in base64. */
  digest(): Buffer {
    const out = Buffer.alloc(this.#kind.bits / 8);
    if (this.#kind.bits === 64) out.writeUInt32BE(~this.#high >>> 0, 0);
    out.writeUInt32BE(~this.#low >>> 0, out.length - 4);
    return out;
  }
}

/** The CRC of the concatenation of pieces of which only CRC and length are known. */
export function joinCrcs(kind: CrcKind, pieces: readonly { crc: Buffer; bytes: number }[]): Buffer {
  const shifts = new Map<number, bigint>();
  let joined = 0n;
  for (const piece of pieces) {
    // Parts mostly have one size: the costly power of x is computed once per size.
    const shift = shifts.get(piece.bytes) ?? powerOfX(kind, 8n * BigInt(piece.bytes));
    shifts.set(piece.bytes, shift);
    joined = multiply(kind, shift, joined) ^ BigInt(`0x${piece.crc.toString("hex")}`);
  }
  return Buffer.from(joined.toString(16).padStart(kind.bits / 4, "0"), "hex");
}

/** Product of two polynomials modulo the CRC's, all in reflected bit order. */
function multiply(kind: CrcKind, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let mask = 1n << BigInt(kind.bits - 1); mask > 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ kind.polynomial : shifted >> 1n;
  }
  return product;
}

function powerOfX(kind: CrcKind, exponent: bigint): bigint {
  let result = 1n << BigInt(kind.bits - 1);
  let square = 1n << BigInt(kind.bits - 2);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(kind, result, square);
    square = multiply(kind, square, square);
  }
  return result;
}
