/** Fans: how many inputs and outputs an element has (section 4). */

import { require } from "./errors.js";
import { checkShape, positiveAxis, type Shape } from "./shapes.js";

/** Axes by their role; negative ones count from the end. Absent ones are empty. */
export interface FanAxes {
  readonly inAxis?: readonly number[];
  readonly outAxis?: readonly number[];
  readonly batchAxis?: readonly number[];
}

/** Axes counted from the start, those of a role in the order in which they came. */
export interface Axes {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly batch: readonly number[];
}

export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** The roles of axes: those named, or the last two of two or more. */
export function axesOf(shape: Shape, named: FanAxes | undefined): Axes {
  const rank = shape.length;
  if (named === undefined) {
    return rank < 2
      ? { inputs: [], outputs: [], batch: [] }
      : { inputs: [rank - 2], outputs: [rank - 1], batch: [] };
  }
  const positive = (axes: readonly number[] | undefined, role: string): number[] =>
    (axes ?? []).map((axis) => positiveAxis(axis, rank, `fanAxes.${role}`));
  const axes = {
    inputs: positive(named.inAxis, "inAxis"),
    outputs: positive(named.outAxis, "outAxis"),
    batch: positive(named.batchAxis, "batchAxis"),
  };
  const all = [...axes.inputs, ...axes.outputs, ...axes.batch];
  require(new Set(all).size === all.length, "fanAxes", "must name each axis once", named);
  return axes;
}

/** `fan_in` and `fan_out` of the whole tensor's shape. */
export function fans(shape: Shape, fanAxes?: FanAxes): Fans {
  checkShape(shape);
  if (fanAxes === undefined && shape.length < 2) {
    const both = Number(product(shape));
    return { fanIn: both, fanOut: both };
  }
  const { inputs, outputs, batch } = axesOf(shape, fanAxes);
  const named = new Set([...inputs, ...outputs, ...batch]);
  const receptive = product(shape.filter((_, axis) => !named.has(axis)));
  const ofAxes = (axes: readonly number[]): bigint => product(axes.map((axis) => shape[axis]!));
  return {
    fanIn: Number(ofAxes(inputs) * receptive),
    fanOut: Number(ofAxes(outputs) * receptive),
  };
}

function product(lengths: readonly number[]): bigint {
  return lengths.reduce((total, length) => total * BigInt(length), 1n);
}
