/** Sparse matrices: normal numbers with so many zeros in each line (section 7.4). */

import type { Elements } from "./elements.js";
import { require } from "./errors.js";
import type { Parameters } from "./initializers.js";
import type { Checked } from "./tensors.js";
import type { Words } from "./words.js";

/** How many zeros a line of `length` elements has. */
export function zerosOfLine(length: number, sparsity: number): number {
  return Math.min(length, Math.ceil(sparsity * length));
}

/** `others`, but 0 where the second key's words are smallest within a line. */
export function sparse(
  { shape }: Checked,
  { sparsity, axis }: Parameters["sparse"],
  others: Elements,
  places: Words,
): Elements {
  require(shape.length === 2, "shape", "must have two axes", shape);
  const [rows, columns] = shape as readonly [number, number];
  const isColumn = axis === 0 || axis === -2;
  const length = isColumn ? rows : columns;
  require(length <= 2 ** 32, "shape", "must have at most 2**32 elements in a line", shape);
  const zeros = zerosOfLine(length, sparsity);
  const known = new Map<number, Uint8Array>();

  const indexOf = (line: number, place: number): number =>
    isColumn ? place * columns + line : line * columns + place;
  const zerosOf = (line: number): Uint8Array => {
    const found = known.get(line);
    if (found !== undefined) return found;
    const words = Float64Array.from({ length }, (_, at) => places.word32(indexOf(line, at)));
    const isZero = smallest(words, zeros);
    known.set(line, isZero);
    return isZero;
  };

  return (index) => {
    const column = index % columns;
    const row = (index - column) / columns;
    const isZero = isColumn ? zerosOf(column)[row] : zerosOf(row)[column];
    return isZero === 1 ? 0 : others(index);
  };
}

/** 1 at the `count` smallest words; of equal ones, those that come first. */
function smallest(words: Float64Array, count: number): Uint8Array {
  const marks = new Uint8Array(words.length);
  const order = Uint32Array.from(words.keys());
  order.sort((a, b) => words[a]! - words[b]! || a - b);
  for (const place of order.subarray(0, count)) marks[place] = 1;
  return marks;
}
