/** Numbers as text. */

/** 262144 -> "262,144". */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** All digits that give the float64 back. */
export function exact(x: number | bigint): string {
  const text = Object.is(x, -0) ? "-0" : String(x);
  return text.replace("Infinity", "∞").replace("-", "−");
}

/** A few digits, for axes and comparisons. */
export function brief(x: number): string {
  if (x === 0) return "0";
  const size = Math.abs(x);
  const isPlain = size >= 1e-3 && size < 1e5;
  const text = isPlain ? String(Number(x.toPrecision(4))) : x.toExponential(2);
  return text.replace(/-/g, "−").replace("e+", "e");
}
