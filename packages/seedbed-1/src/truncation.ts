/** What bounds make of a normal distribution: sections 4 (`left`) and 7.1. */

import { cumulative, density, weightedDensity } from "./gaussian.js";
import { exactFloor, exactly, type Enclosure, type Reals } from "./reals.js";

/** Beyond so many standard deviations, a bound counts as infinite. */
const FARTHEST = 14;

/** In standard deviations from the mean before truncation. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** Where the words of 32 or 64 bits lie between the bounds. */
export interface Interval {
  readonly split: bigint;
  readonly step: number;
  readonly lowEdge: number;
  readonly highEdge: number;
  readonly remainder: number;
}

/** Mean and standard deviation of a standard normal number between the bounds. */
export interface Moments {
  readonly mean: number;
  readonly stddev: number;
}

export function effective({ lower, upper }: Bounds): Bounds {
  return {
    lower: lower < -FARTHEST ? -Infinity : lower,
    upper: upper > FARTHEST ? Infinity : upper,
  };
}

export function intervalOf(bounds: Bounds, wordBits: 32 | 64): Interval {
  const { lower, upper } = effective(bounds);
  const words = 1n << BigInt(wordBits);
  const below = (r: Reals): Enclosure => r.subtract(r.ratio(1, 2), cumulative(r, lower));
  const above = (r: Reals): Enclosure => r.subtract(cumulative(r, upper), r.ratio(1, 2));
  const step = (r: Reals): Enclosure => r.quotient(r.add(below(r), above(r)), words);
  // The median of symmetric bounds is exactly between two words: no number of digits would show it.
  const isSymmetric = lower === -upper;
  const split = isSymmetric
    ? words / 2n
    : exactFloor((r) => r.divide(below(r), step(r)), 0n, words - 1n);
  return {
    split,
    step: exactly(step),
    lowEdge: exactly((r) => cumulative(r, lower)),
    highEdge: exactly((r) => r.subtract(r.integer(1), cumulative(r, upper))),
    remainder: isSymmetric ? 0 : exactly((r) => r.subtract(r.times(step(r), split), below(r))),
  };
}

/** Section 4's `left` is the standard deviation, and `shift` the mean. */
export function momentsOf(bounds: Bounds): Moments {
  const { lower, upper } = effective(bounds);
  const mass = (r: Reals): Enclosure => r.subtract(cumulative(r, upper), cumulative(r, lower));
  const shift = (r: Reals): Enclosure =>
    r.divide(r.subtract(density(r, lower), density(r, upper)), mass(r));
  const variance = (r: Reals): Enclosure => {
    const ends = r.subtract(weightedDensity(r, lower), weightedDensity(r, upper));
    const mean = shift(r);
    return r.subtract(r.add(r.integer(1), r.divide(ends, mass(r))), r.multiply(mean, mean));
  };
  return {
    mean: lower === -upper ? 0 : exactly(shift),
    stddev: exactly((r) => r.squareRoot(variance(r))),
  };
}
