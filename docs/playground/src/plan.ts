/** How much of a tensor the page computes, so that it is never busy for long. */

import type { Kind, Slice, TensorRequest } from "../../../packages/seedbed-1/src/index.js";
import { count } from "./format.js";

const MAX_ELEMENTS = 2 ** 18;
/** Rows times columns times the lesser of them. */
const MAX_MATRIX_WORK = 2 ** 24;
const MAX_STFT_ELEMENTS = 2 ** 15;
const MAX_STFT_LENGTH = 2 ** 12;

/** The part that is computed, or why none is. */
export type Plan =
  | { readonly kind: "whole" }
  | { readonly kind: "slice"; readonly slice: Slice; readonly words: string }
  | { readonly kind: "none"; readonly words: string };

export function planOf({ shape, initializer }: TensorRequest): Plan {
  const { kind } = initializer;
  const total = product(shape);
  if (kind === "orthogonal" || kind === "delta_orthogonal") return matrixPlan(shape, kind);
  if (kind === "sparse" && total > MAX_ELEMENTS) {
    return tooLarge(`a sparse tensor of more than ${count(MAX_ELEMENTS)} elements`);
  }
  if (kind === "stft" && shape[0]! > MAX_STFT_LENGTH) {
    return tooLarge(`a frame of more than ${count(MAX_STFT_LENGTH)} elements`);
  }
  return leadingPart(shape, kind === "stft" ? MAX_STFT_ELEMENTS : MAX_ELEMENTS);
}

function matrixPlan(shape: readonly number[], kind: Kind): Plan {
  const columns = shape[shape.length - 1]!;
  const rows = kind === "orthogonal" ? product(shape.slice(0, -1)) : shape[shape.length - 2]!;
  const isLarge =
    rows * columns * Math.min(rows, columns) > MAX_MATRIX_WORK || product(shape) > MAX_ELEMENTS;
  return isLarge
    ? tooLarge("a matrix with rows × columns × the lesser of them beyond 256³")
    : { kind: "whole" };
}

/** As many of the first rows, planes and so on as there may be elements. */
function leadingPart(shape: readonly number[], most: number): Plan {
  if (product(shape) <= most) return { kind: "whole" };
  let rest = product(shape);
  let left = most;
  const lengths = shape.map((length) => {
    rest /= length;
    const part = Math.max(1, Math.min(length, Math.floor(left / rest)));
    left = Math.floor(left / part);
    return part;
  });
  const part = `the first (${lengths.join(", ")}) of (${shape.join(", ")})`;
  const words =
    `This page computes at most ${count(most)} elements at a time. These are ${part}: ` +
    `the same bits that the whole tensor has there.`;
  return { kind: "slice", slice: { starts: shape.map(() => 0), lengths }, words };
}

function tooLarge(what: string): Plan {
  return {
    kind: "none",
    words: `This page does not sample ${what}; the package and a server do.`,
  };
}

function product(lengths: readonly number[]): number {
  return lengths.reduce((result, length) => result * length, 1);
}
