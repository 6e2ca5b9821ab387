/**
 * base^exponent of a base >= 0, in the same bits on every version of Node.
 *
 * Math.pow and ** are not: they changed between Node 22 and 24. Sums, products and square roots are rounded correctly
 * everywhere, and Math.exp and Math.log have been the same from Node 20 to 24. Error: 0.51 units in the last place for the
 * exponent 1.5, which is the solver's; else up to |exponent log(base)| + 1 of them.
 */
export function power(base: number, exponent: number): number {
  if (exponent !== 1.5 || base === 0) return Math.exp(exponent * Math.log(base));
  // base^1.5 = base (root + left), with the rounding errors of the root and of the product taken off.
  const root = Math.sqrt(base);
  const square = root * root;
  const left = (base - square - productError(root, root, square)) / (2 * root);
  const product = base * root;
  return product + (productError(base, root, product) + base * left);
}

/** a b - product, exactly, for the rounded product. Source: Dekker, Numer. Math. 18 (1971). */
function productError(a: number, b: number, product: number): number {
  const [aHigh, bHigh] = [upperHalf(a), upperHalf(b)];
  const [aLow, bLow] = [a - aHigh, b - bHigh];
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The upper 26 binary places of a number. */
function upperHalf(value: number): number {
  const scaled = 134217729 * value; // 2^27 + 1
  return scaled - (scaled - value);
}
