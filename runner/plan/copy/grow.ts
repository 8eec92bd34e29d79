// Grows typed arrays and gives the old memory back at once. The garbage collector sees only small objects here, and
// would leave the outgrown halves of a large site's table for later.

/** The elements of `array` at the beginning of `larger`; `array` is empty afterwards. */
export function moveInto<T extends { readonly buffer: ArrayBufferLike; readonly length: number }>(
  array: T,
  larger: T & { set: (from: T) => void },
): T {
  larger.set(array);
  release(array);
  return larger;
}

export function release({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
