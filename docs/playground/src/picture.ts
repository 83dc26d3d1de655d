/** A picture of a tensor's first rows, for tensors that are not random. */

import { pixel, svg } from "./svg.js";

const MOST = 64;

/** Rows along the last axis; the larger a magnitude, the stronger the colour. */
export function picture(
  values: readonly number[],
  shape: readonly number[],
  label: string,
): SVGElement {
  const columns = shape[shape.length - 1] ?? 1;
  const shownColumns = Math.min(MOST, columns);
  const rows = Math.min(MOST, Math.floor(values.length / columns));
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const paper = { width: shownColumns, height: rows, class: "paper" };
  const squares: SVGElement[] = [svg("rect", paper)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < shownColumns; column++) {
      const value = values[row * columns + column]!;
      squares.push(
        svg("rect", {
          ...{ x: column, y: row, width: 0.94, height: 0.94 },
          class: value < 0 ? "negative" : "positive",
          "fill-opacity": pixel((Math.abs(value) / largest) * 100) / 100,
        }),
      );
    }
  }
  const frame = { viewBox: `0 0 ${shownColumns} ${rows}`, role: "img", "aria-label": label };
  return svg("svg", { ...frame, class: "picture" }, ...squares);
}
