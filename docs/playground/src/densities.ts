/** Exact densities, for drawing: float64 is enough here. */

import type { Description } from "../../../packages/seedbed-1/src/index.js";

/** What a histogram is drawn against. */
export interface Curve {
  readonly from: number;
  readonly to: number;
  readonly density: (x: number) => number;
}

/** So many standard deviations are drawn of what has no end. */
const DRAWN = 4.2;

/** The curve of a random tensor; undefined if there is none, or all its numbers are one. */
export function curveOf({ distribution }: Description): Curve | undefined {
  switch (distribution.kind) {
    case "uniform": {
      const { minval, maxval } = distribution;
      if (minval === maxval) return undefined;
      return { from: minval, to: maxval, density: () => 1 / (maxval - minval) };
    }
    case "normal":
      return distribution.stddev === 0 ? undefined : normalCurve(distribution);
    case "orthogonal":
      return sphereCurve(distribution);
    case "fixed":
      return undefined;
  }
}

interface Normal {
  readonly mean: number;
  readonly stddev: number;
  readonly lower: number;
  readonly upper: number;
}

function normalCurve({ mean, stddev, lower, upper }: Normal): Curve {
  // A one-sided tail is drawn from its bound on, wherever that is.
  const first = Math.max(lower, Math.min(-DRAWN, upper - DRAWN));
  const last = Math.min(upper, Math.max(DRAWN, lower + DRAWN));
  const mass = integral(standardDensity, Math.max(lower, first - 5), Math.min(upper, last + 5));
  return {
    from: mean + first * stddev,
    to: mean + last * stddev,
    density: (x) => standardDensity((x - mean) / stddev) / (mass * stddev),
  };
}

/** One coordinate of a point that is uniform on a sphere in so many dimensions. */
function sphereCurve({ gain, length }: { readonly gain: number; readonly length: number }) {
  const radius = Math.abs(gain);
  if (length < 2 || radius === 0) return undefined;
  const end = Math.min(radius, (DRAWN * radius) / Math.sqrt(length));
  const log =
    logGamma(length / 2) - logGamma((length - 1) / 2) - Math.log(Math.PI) / 2 - Math.log(radius);
  return {
    from: -end,
    to: end,
    density: (x: number) =>
      Math.exp(log + ((length - 3) / 2) * Math.log1p(-((x / radius) ** 2))),
  };
}

function standardDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Simpson's rule. */
function integral(f: (x: number) => number, from: number, to: number): number {
  const steps = 2000;
  const width = (to - from) / steps;
  let sum = f(from) + f(to);
  for (let i = 1; i < steps; i++) sum += f(from + i * width) * (i % 2 === 1 ? 4 : 2);
  return (sum * width) / 3;
}

/** Stirling's series, after a recurrence to where it is good. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}
