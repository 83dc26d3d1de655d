/** Windows of the short-time Fourier transform, as exact reals (section 5.1). */

import type { StftWindow } from "./initializers.js";
import type { Enclosure, Reals } from "./reals.js";

/** `a[k]` in units of `10**-9`. */
const COSINE_SUMS: Readonly<Partial<Record<StftWindow, readonly bigint[]>>> = {
  boxcar: [1_000_000_000n],
  hann: [500_000_000n, 500_000_000n],
  hamming: [540_000_000n, 460_000_000n],
  blackman: [420_000_000n, 500_000_000n, 80_000_000n],
  nuttall: [363_581_900n, 489_177_500n, 136_599_500n, 10_641_100n],
  blackmanharris: [358_750_000n, 488_290_000n, 141_280_000n, 11_680_000n],
  flattop: [215_578_950n, 416_631_580n, 277_263_158n, 83_578_947n, 6_947_368n],
};
const UNITS = 1_000_000_000n;

const ZERO_AT_THE_ENDS: readonly StftWindow[] = [
  ...["hann", "blackman", "bartlett", "barthann", "bohman", "lanczos"],
] as readonly StftWindow[];

/** Whether all of a window is 0. */
export function isZeroWindow(window: StftWindow, length: number, periodic: boolean): boolean {
  return length === 2 && !periodic && ZERO_AT_THE_ENDS.includes(window);
}

/** `w(t)` of a window of `length`. */
export function windowAt(
  r: Reals,
  window: StftWindow,
  t: number,
  length: number,
  periodic: boolean,
): Enclosure {
  if (length === 1 || window === "none") return r.integer(1);
  const m = periodic ? length + 1 : length;
  const d = Math.abs(2 * t - (m - 1));
  const last = m - 1;
  switch (window) {
    case "bartlett":
      return r.ratio(last - d, last);
    case "triang": {
      const width = m % 2 === 0 ? m : m + 1;
      return r.ratio(width - d, width);
    }
    case "cosine":
      return r.sineOfTurns(2 * t + 1, 4 * m);
    case "barthann": {
      const slope = r.ratio(48 * d, 2 * last);
      const wave = r.times(r.cosineOfTurns(d, 2 * last), 38n);
      return r.quotient(r.add(r.subtract(r.integer(62), slope), wave), 100n);
    }
    case "bohman": {
      const sides = r.multiply(r.ratio(last - d, last), r.cosineOfTurns(d, 2 * last));
      return r.add(sides, r.divide(r.sineOfTurns(d, 2 * last), r.pi));
    }
    case "parzen":
      return parzen(r, d, m);
    case "lanczos": {
      if (d === 0) return r.integer(1);
      const angle = r.quotient(r.times(r.pi, BigInt(d)), BigInt(last));
      return r.divide(r.sineOfTurns(d, 2 * last), angle);
    }
    default:
      return cosineSum(r, COSINE_SUMS[window]!, t, last);
  }
}

/** `sum (-1)**k a[k] cos(2 pi k t / last)`. */
function cosineSum(r: Reals, a: readonly bigint[], t: number, last: number): Enclosure {
  const terms = a.map((weight, k) =>
    r.times(r.cosineOfTurns(k * t, last), k % 2 === 0 ? weight : -weight),
  );
  return r.quotient(terms.reduce((sum, term) => r.add(sum, term)), UNITS);
}

/** In exact fractions over `m**3`. */
function parzen(r: Reals, d: number, m: number): Enclosure {
  const [x, whole] = [BigInt(d), BigInt(m)];
  const cube = whole ** 3n;
  return 2 * d <= m - 1
    ? r.ratio(cube - 6n * x * x * (whole - x), cube)
    : r.ratio(2n * (whole - x) ** 3n, cube);
}
