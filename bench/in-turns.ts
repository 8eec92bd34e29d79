// Whoever comes second finds warmer caches and a busier disk: so each is it in turn.

/** Both results, ours first. */
export async function inTurns<A, B>(
  isPeerFirst: boolean,
  ours: () => Promise<A>,
  peer: () => Promise<B>,
): Promise<readonly [A, B]> {
  if (!isPeerFirst) return [await ours(), await peer()];
  const peers = await peer();
  return [await ours(), peers];
}
