/** Shapes, axes and slices. */

import { require } from "./errors.js";

const MAX_RANK = 32;

export type Shape = readonly number[];

/** A rectangle of a tensor: on each axis, `lengths` elements from `starts` on. */
export interface Slice {
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** The number of elements, 1 for a scalar. */
export function elementCount(shape: Shape): number {
  return shape.reduce((count, length) => count * length, 1);
}

export function checkShape(shape: Shape): void {
  const areLengths = Array.isArray(shape) && shape.every(isLength);
  require(areLengths, "shape", "must have integers of 0 or more", shape);
  require(shape.length <= MAX_RANK, "shape", `must have at most ${MAX_RANK} axes`, shape);
  // The contract allows 2**63 - 1 bytes; here an index is a number.
  const product = shape.reduce((count, length) => count * BigInt(length || 1), 1n);
  const isSmall = product <= BigInt(Number.MAX_SAFE_INTEGER);
  require(isSmall, "shape", "must have lengths whose product is below 2**53", shape);
}

export function wholeSlice(shape: Shape): Slice {
  return { starts: shape.map(() => 0), lengths: shape };
}

export function checkSlice({ starts, lengths }: Slice, shape: Shape): void {
  const rank = shape.length;
  for (const [argument, values] of Object.entries({ starts, lengths })) {
    const isRight = Array.isArray(values) && values.length === rank && values.every(isLength);
    require(isRight, `slice.${argument}`, `must have ${rank} integers of 0 or more`, values);
  }
  const isInside = shape.every((length, axis) => starts[axis]! + lengths[axis]! <= length);
  require(isInside, "slice", `must lie within the shape [${shape.join(", ")}]`, {
    starts,
    lengths,
  });
}

/** The axis counted from the start. */
export function positiveAxis(axis: number, rank: number, argument: string): number {
  const isAxis = Number.isInteger(axis) && axis >= -rank && axis < rank;
  require(isAxis, argument, `must be from ${-rank} to ${rank - 1}`, axis);
  return axis < 0 ? axis + rank : axis;
}

/** The first index, in the whole tensor, of each row of a slice: each run along the last axis. */
export function* rowStarts(slice: Slice, shape: Shape): Generator<number> {
  const rank = shape.length;
  const strides = stridesOf(shape);
  const first = slice.starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
  const outer = slice.lengths.slice(0, -1);
  const rows = slice.lengths.includes(0) ? 0 : elementCount(outer);
  const place = outer.map(() => 0);
  let index = first;
  for (let row = 0; row < rows; row++) {
    yield index;
    for (let axis = rank - 2; axis >= 0; axis--) {
      index += strides[axis]!;
      place[axis]! += 1;
      if (place[axis]! < outer[axis]!) break;
      index -= strides[axis]! * outer[axis]!;
      place[axis] = 0;
    }
  }
}

export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  }
  return strides;
}

function isLength(n: unknown): n is number {
  return Number.isSafeInteger(n) && (n as number) >= 0;
}
