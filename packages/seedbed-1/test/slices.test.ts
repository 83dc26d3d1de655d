/** A slice has the elements that the whole tensor has there. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { numbers, sample, type Initializer, type Slice, type TensorRequest } from "../src/index.js";

const SHAPE = [4, 5, 6];
const SLICES: readonly Slice[] = [
  { starts: [0, 0, 0], lengths: [4, 5, 6] },
  { starts: [1, 2, 3], lengths: [2, 3, 2] },
  { starts: [3, 0, 5], lengths: [1, 5, 1] },
  { starts: [0, 4, 0], lengths: [4, 1, 6] },
  { starts: [4, 0, 0], lengths: [0, 5, 6] },
  { starts: [1, 1, 6], lengths: [2, 2, 0] },
];
const INITIALIZERS: readonly Initializer[] = [
  { kind: "random_uniform" },
  { kind: "truncated_normal", lower: -1, upper: 3 },
  { kind: "glorot_normal" },
  { kind: "orthogonal" },
  { kind: "orthogonal", blocks: 2, block_axis: 0 },
  { kind: "delta_orthogonal" },
  { kind: "dirac" },
];

for (const initializer of INITIALIZERS) {
  for (const dtype of ["float32", "float64"] as const) {
    test(`slices of ${JSON.stringify(initializer)} in ${dtype}`, () => {
      const request: TensorRequest = { name: "w", seed: 7, shape: SHAPE, dtype, initializer };
      const whole = numbers(sample(request));
      for (const slice of SLICES) {
        assert.deepEqual(numbers(sample({ ...request, slice })), part(whole, slice));
      }
    });
  }
}

test("slices of a sparse matrix, and of the identity", () => {
  for (const initializer of [
    { kind: "sparse", sparsity: 0.5 },
    { kind: "sparse", sparsity: 0.5, axis: 1 },
    { kind: "identity" },
  ] as const) {
    const request: TensorRequest = { shape: [6, 9], dtype: "float32", initializer };
    const whole = numbers(sample(request));
    const slice = { starts: [2, 3], lengths: [3, 5] };
    const expected = [2, 3, 4].flatMap((row) => whole.slice(9 * row + 3, 9 * row + 8));
    assert.deepEqual(numbers(sample({ ...request, slice })), expected);
  }
});

test("a slice of a tensor that no memory would hold", () => {
  const request: TensorRequest = {
    shape: [2 ** 20, 2 ** 30],
    dtype: "float32",
    initializer: { kind: "random_uniform" },
  };
  const at = (row: number, length: number): (number | bigint)[] =>
    numbers(sample({ ...request, slice: { starts: [row, 5], lengths: [1, length] } }));
  assert.deepEqual(at(2 ** 20 - 1, 3), at(2 ** 20 - 1, 5).slice(0, 3));
});

test("a scalar and an empty tensor", () => {
  const initializer: Initializer = { kind: "ones" };
  assert.deepEqual(numbers(sample({ shape: [], dtype: "int8", initializer })), [1]);
  assert.deepEqual(numbers(sample({ shape: [3, 0, 2], dtype: "int8", initializer })), []);
});

function part(whole: readonly (number | bigint)[], slice: Slice): (number | bigint)[] {
  const inside = (at: number, axis: number): boolean => {
    const start = slice.starts[axis]!;
    return at >= start && at < start + slice.lengths[axis]!;
  };
  return whole.filter((_, index) => {
    const place = [Math.floor(index / 30), Math.floor(index / 6) % 5, index % 6];
    return place.every(inside);
  });
}
