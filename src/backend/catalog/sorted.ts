/** The first place in [0, length) whose key is not below `wanted`; `length` where there is none. Keys do not fall. */
export function lowerBound(length: number, keyAt: (place: number) => number, wanted: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The second of each pair that begins with that OID: [oid, other, oid, other ...]. */
export function pairedWith(pairs: readonly number[], oid: number): readonly number[] {
  const found: number[] = [];
  let place = lowerBound(pairs.length / 2, (at) => pairs[2 * at] ?? 0, oid);
  for (; pairs[2 * place] === oid; place += 1) found.push(pairs[2 * place + 1] ?? 0);
  return found;
}
