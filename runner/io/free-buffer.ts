// Gives a large buffer's memory back at once. Left to the garbage collector, which sees only small objects here, some
// hundred MB of compressed frames pile up before it acts (measured: peak RSS 244 MB instead of 134 MB).

/** `bytes` is empty afterwards. A slice of a shared buffer is left alone. */
export function freeBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
