/** What the page shows of a tensor. */

import {
  describe,
  digest,
  hexadecimal,
  numbers,
  sample,
  type Description,
  type Tensor,
  type TensorRequest,
} from "../../../packages/seedbed-1/src/index.js";
import { chart } from "./chart.js";
import { curveOf, type Curve } from "./densities.js";
import { brief, count, exact } from "./format.js";
import { cells, histogram, type Histogram } from "./histogram.js";
import { byId, html } from "./html.js";
import { picture } from "./picture.js";
import { planOf } from "./plan.js";

const FIRST_NUMBERS = 12;

/** Draws the figure anew, for another width. */
export type Redraw = () => void;

/** Computes and shows everything; throws an ArgumentError before it changes the page. */
export function showResults(request: TensorRequest): Redraw {
  const description = describe(request);
  const plan = planOf(request);
  const slice = plan.kind === "slice" ? { slice: plan.slice } : {};
  const tensor = plan.kind === "none" ? undefined : sample({ ...request, ...slice });
  showNote(plan.kind === "whole" ? "" : plan.words);
  const values = tensor && numbers(tensor).map(Number);
  const facts = [...distributionFacts(description), ...fanFacts(description)];
  byId("facts").replaceChildren(...factRows(facts));
  byId("moments").replaceChildren(...momentRows(description, values));
  showDigests(tensor, plan.kind === "slice");
  showNumbers(tensor);
  const redraw = (): void => showFigure(request, description, values);
  redraw();
  return redraw;
}

type Fact = readonly [string, string];

function distributionFacts({ distribution, zeros }: Description): Fact[] {
  const zero: Fact[] = zeros > 0 ? [["part that is 0", exact(zeros)]] : [];
  switch (distribution.kind) {
    case "uniform": {
      const { minval, maxval } = distribution;
      const ends: Fact[] = [["minval", exact(minval)], ["maxval", exact(maxval)]];
      return [["distribution", "uniform, maxval excluded"], ...ends];
    }
    case "normal": {
      const { mean, stddev, lower, upper } = distribution;
      const isCut = lower !== -Infinity || upper !== Infinity;
      return [
        ["distribution", isCut ? "truncated normal" : "normal"],
        [isCut ? "mean before the cut" : "mean", exact(mean)],
        [isCut ? "stddev before the cut" : "stddev", exact(stddev)],
        ...(isCut ? [["bounds, in stddevs", `${exact(lower)} to ${exact(upper)}`] as Fact] : []),
        ...zero,
      ];
    }
    case "orthogonal": {
      const { gain, length } = distribution;
      const dimensions = `a coordinate of a point on a sphere in ${count(length)} dimensions`;
      return [["distribution", dimensions], ["radius", exact(Math.abs(gain))], ...zero];
    }
    case "fixed":
      return [["distribution", "none: seed, name and draw change nothing"]];
  }
}

function fanFacts({ fans }: Description): Fact[] {
  return [["fan_in", count(fans.fanIn)], ["fan_out", count(fans.fanOut)]];
}

function factRows(facts: readonly Fact[]): HTMLElement[] {
  return facts.map(([term, value]) =>
    html("div", {}, html("dt", {}, term), html("dd", { "data-fact": term }, value)),
  );
}

/** Mean and standard deviation, exact beside those of the sample. */
function momentRows(
  { mean, stddev, zeros }: Description,
  values: readonly number[] | undefined,
): HTMLElement[] {
  if (mean === undefined || stddev === undefined) return [];
  const sampled = values && momentsOf(withoutZeros(values, zeros));
  const row = (name: string, ideal: number, found: number | undefined): HTMLElement =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, name),
      html("td", {}, brief(ideal)),
      html("td", {}, found === undefined || Number.isNaN(found) ? "–" : brief(found)),
    );
  const heads = ["", "exact", "sample"].map((word) => html("th", { scope: "col" }, word));
  return [
    html("tr", {}, ...heads),
    row("mean", mean, sampled?.mean),
    row("standard deviation", stddev, sampled?.stddev),
  ];
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly stddev: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, stddev: Math.sqrt(squares / values.length) };
}

function showFigure(
  request: TensorRequest,
  description: Description,
  values: readonly number[] | undefined,
): void {
  const figure = byId("figure");
  const caption = byId("caption");
  figure.replaceChildren();
  caption.textContent = "";
  if (values === undefined || values.length === 0) {
    caption.textContent = values ? "There are no elements." : "";
    return;
  }
  const curve = curveOf(description);
  if (curve === undefined) {
    const words = `The first rows of (${request.shape.join(", ")})`;
    figure.append(picture(values, request.shape, words));
    caption.textContent = `${words}; the stronger the colour, the larger the number.`;
    return;
  }
  const drawn = withoutZeros(values, description.zeros);
  if (drawn.length === 0) {
    caption.textContent = "All elements are 0.";
    return;
  }
  const bars = barsOf(request, drawn, curve);
  const { kind } = request.initializer;
  const label = `Histogram of ${count(drawn.length)} numbers of ${kind} and their exact density`;
  figure.append(chart(Math.max(280, figure.clientWidth), curve, bars, label));
  caption.append(...legend(drawn.length, values.length, bars.beyond));
}

function barsOf({ dtype }: TensorRequest, values: readonly number[], curve: Curve): Histogram {
  const isCoarse = dtype === "float8_e4m3fn" || dtype === "float8_e5m2";
  return (isCoarse ? cells : histogram)(values, curve.from, curve.to);
}

function legend(drawn: number, all: number, beyond: number): Node[] {
  const zeros = all > drawn ? `; ${count(all - drawn)} zeros left out` : "";
  const outside = beyond > 0 ? `; ${count(beyond)} beyond the drawing` : "";
  const numbersKey = html("i", { class: "key-bars" });
  const curveKey = html("i", { class: "key-curve" });
  return [
    html("span", {}, numbersKey, `${count(drawn)} numbers${zeros}${outside}`),
    html("span", {}, curveKey, "the exact density"),
  ];
}

/** Without those zeros that are not of the distribution. */
function withoutZeros(values: readonly number[], zeros: number): readonly number[] {
  return zeros > 0 ? values.filter((value) => value !== 0) : values;
}

function showDigests(tensor: Tensor | undefined, isSlice: boolean): void {
  byId("digest-of").textContent = isSlice ? "of these elements" : "of the whole tensor";
  byId("xxh3").textContent = tensor ? digest(tensor.bytes) : "–";
  byId("sha256").textContent = tensor ? digest(tensor.bytes, "sha256") : "–";
  byId("bytes").textContent = tensor ? `${count(tensor.bytes.length)} bytes` : "";
}

function showNumbers(tensor: Tensor | undefined): void {
  const values = tensor ? numbers({ ...tensor, bytes: firstBytes(tensor) }) : [];
  const size = values.length > 0 ? firstBytes(tensor!).length / values.length : 0;
  const rows = values.map((value, i) => {
    const bits = tensor!.bytes.slice(i * size, (i + 1) * size).reverse();
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, `${i}`),
      html("td", { class: "value" }, exact(value)),
      html("td", { class: "bits" }, `0x${hexadecimal(bits).toUpperCase()}`),
    );
  });
  byId("numbers").replaceChildren(...rows);
}

function firstBytes({ bytes, shape }: Tensor): Uint8Array<ArrayBuffer> {
  const elements = shape.reduce((product, length) => product * length, 1);
  const size = elements === 0 ? 0 : bytes.length / elements;
  return bytes.subarray(0, FIRST_NUMBERS * size);
}

function showNote(words: string): void {
  const note = byId("note");
  note.textContent = words;
  note.hidden = words === "";
}
