/** The histogram of a sample against the exact density. */

import type { Curve } from "./densities.js";
import { brief } from "./format.js";
import type { Histogram } from "./histogram.js";
import { pixel, svg, text } from "./svg.js";

const HEIGHT = 300;
const BASE = HEIGHT - 28;
const TOP = 10;
const POINTS = 400;

export function chart(width: number, curve: Curve, { bars }: Histogram, label: string): SVGElement {
  const { from, to, density } = curve;
  const margin = 0.03 * (to - from);
  const x = (value: number): number =>
    pixel(((value - from + margin) / (to - from + 2 * margin)) * width);

  const points = Array.from({ length: POINTS + 1 }, (_, i) => from + (i / POINTS) * (to - from));
  const heights = points.map(density);
  const tallest = Math.max(...bars.map((bar) => bar.density));
  // A density may be infinite at its ends; and all numbers of a coarse dtype may be beyond them.
  const limit = tallest > 0 ? 1.6 * tallest : Infinity;
  const most = 1.06 * Math.max(tallest, Math.min(Math.max(...heights), limit));
  const y = (value: number): number =>
    pixel(BASE - (Math.min(value, most) / most) * (BASE - TOP));

  const rectangles = bars.map((bar) => {
    const gap = x(bar.to) - x(bar.from) > 6 ? 1 : 0;
    return svg("rect", {
      x: x(bar.from),
      y: y(bar.density),
      width: Math.max(0.5, x(bar.to) - x(bar.from) - gap),
      height: pixel(BASE - y(bar.density)),
    });
  });
  const line = points.map((value, i) => `${x(value)},${y(heights[i]!)}`);
  const path = `M${x(from)},${BASE}L${line.join("L")}L${x(to)},${BASE}`;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label, class: "chart" },
    svg("g", { class: "bars" }, ...rectangles),
    svg("path", { d: path, class: "curve" }),
    ...axis(width, from, to, x),
  );
}

function axis(width: number, from: number, to: number, x: (value: number) => number): SVGElement[] {
  const line = svg("line", { x1: 0, y1: BASE, x2: width, y2: BASE, class: "axis" });
  const ticks = ticksBetween(from, to, width < 480 ? 4 : 8).flatMap((value) => {
    // A label in the corner would be cut off.
    const isLeft = x(value) < 24;
    const anchor = isLeft ? "start" : x(value) > width - 24 ? "end" : "middle";
    return [
      svg("line", { x1: x(value), y1: BASE, x2: x(value), y2: BASE + 5, class: "axis" }),
      text(brief(value), { x: x(value), y: BASE + 20, "text-anchor": anchor, class: "tick" }),
    ];
  });
  return [line, ...ticks];
}

/** Round numbers: 1, 2, 2.5 or 5 times a power of ten apart. */
function ticksBetween(from: number, to: number, most: number): number[] {
  const rough = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough)!;
  const first = Math.ceil(from / step);
  const ticks: number[] = [];
  for (let k = first; k * step <= to + step * 1e-9; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  // Ends so close that float64 has few numbers between them.
  return ticks.length > 2 * most ? [from, to] : ticks;
}
