/** Histograms of a sample, as densities. */

export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly density: number;
}

export interface Histogram {
  readonly bars: readonly Bar[];
  /** How many numbers are beyond what is drawn. */
  readonly beyond: number;
}

const MOST_BINS = 72;

/** Of equal bins between the ends. */
export function histogram(values: readonly number[], from: number, to: number): Histogram {
  const bins = Math.max(8, Math.min(MOST_BINS, Math.round(2 * Math.cbrt(values.length))));
  const width = (to - from) / bins;
  const counts = new Array<number>(bins).fill(0);
  let beyond = 0;
  for (const value of values) {
    if (value < from || value > to) beyond++;
    else counts[Math.min(bins - 1, Math.floor((value - from) / width))]!++;
  }
  const bars = counts.map((n, i) => ({
    from: from + i * width,
    to: from + (i + 1) * width,
    density: n / (values.length * width),
  }));
  return { bars, beyond };
}

/**
 * One bar for each number of a coarse dtype, as wide as the numbers that round to it.
 *
 * Equal bins would show the dtype's gaps and not the distribution.
 */
export function cells(values: readonly number[], from: number, to: number): Histogram {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts.keys()].sort((a, b) => a - b);
  const bars: Bar[] = [];
  let beyond = 0;
  sorted.forEach((value, i) => {
    const start = i === 0 ? from : Math.max(from, (sorted[i - 1]! + value) / 2);
    const end = i === sorted.length - 1 ? to : Math.min(to, (value + sorted[i + 1]!) / 2);
    const part = counts.get(value)! / values.length;
    if (end > start) bars.push({ from: start, to: end, density: part / (end - start) });
    else beyond += counts.get(value)!;
  });
  return { bars, beyond };
}
