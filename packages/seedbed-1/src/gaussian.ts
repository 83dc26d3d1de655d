/** The distribution function and the density of a standard normal number, as exact reals. */

import type { Enclosure, Reals } from "./reals.js";

/** `P(x)`; `x` may be infinite. */
export function cumulative(r: Reals, x: number): Enclosure {
  if (x === Infinity) return r.integer(1);
  if (x === -Infinity) return r.integer(0);
  return r.add(r.ratio(1, 2), fromMedian(r, x));
}

/** `p(x)`. */
export function density(r: Reals, x: number): Enclosure {
  if (!Number.isFinite(x)) return r.integer(0);
  const square = r.multiply(r.float(x), r.float(x));
  const root = r.squareRoot(r.times(r.pi, 2n));
  return r.divide(r.exponentialOfNegative(r.quotient(square, 2n)), root);
}

/** `x * p(x)`, 0 at an infinite `x`. */
export function weightedDensity(r: Reals, x: number): Enclosure {
  return Number.isFinite(x) ? r.multiply(r.float(x), density(r, x)) : r.integer(0);
}

/** `P(x) - 1/2 = p(x) * (x + x**3 / 3 + x**5 / (3 * 5) + ...)`: no term cancels another. */
function fromMedian(r: Reals, x: number): Enclosure {
  const size = Math.abs(x);
  const exact = r.float(size);
  const square = r.multiply(exact, exact);
  let term = exact;
  let sum = exact;
  // From here on, each term is less than half of the one before.
  for (let n = 3; term.high > 1n || n < 2 * size * size; n += 2) {
    term = r.quotient(r.multiply(term, square), BigInt(n));
    sum = r.add(sum, term);
  }
  const total = { low: sum.low, high: sum.high + term.high };
  const distance = r.multiply(density(r, size), total);
  return x < 0 ? r.negative(distance) : distance;
}
