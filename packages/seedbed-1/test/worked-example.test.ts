/** The first elements in section 12 of docs/numerics.md, and sections 5 and 8 at their edges. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { hexadecimal, numbers, sample, type Dtype, type Initializer } from "../src/index.js";

/** The bits of the first two elements of tensors of shape (2, 3). */
const TABLE: readonly (readonly [Initializer, Dtype, string, string])[] = [
  [{ kind: "random_uniform" }, "float32", "3cb9d3ed", "3d38a8a8"],
  [{ kind: "random_uniform" }, "bfloat16", "3cba", "3d39"],
  [{ kind: "random_uniform" }, "float64", "3fa715152bbed072", "bf3122dc3113b0cd"],
  [{ kind: "random_normal", stddev: 1 }, "float32", "3f1a70ed", "3fd39324"],
  [{ kind: "random_normal", stddev: 1 }, "bfloat16", "3f1a", "3fd4"],
  [{ kind: "random_normal", stddev: 1 }, "float16", "38d4", "3e9d"],
  [{ kind: "random_normal", stddev: 1 }, "float8_e4m3fn", "32", "3d"],
  [{ kind: "random_normal", stddev: 1 }, "float8_e5m2", "39", "3f"],
  [{ kind: "random_normal", stddev: 1 }, "float64", "3ffa72648a201eb4", "bf7ad8b10447641d"],
  [{ kind: "truncated_normal", stddev: 1 }, "float32", "3f12917a", "3fbd339a"],
  [{ kind: "truncated_normal", stddev: 1 }, "bfloat16", "3f13", "3fbd"],
  [{ kind: "truncated_normal", stddev: 1 }, "float64", "3ff7a67338a397d9", "bf799ffa5f7381b9"],
  [{ kind: "glorot_uniform" }, "float32", "3efe748b", "3f7cdac1"],
  [{ kind: "glorot_uniform" }, "bfloat16", "3efe", "3f7d"],
  [{ kind: "glorot_uniform" }, "float64", "3fef9b583f9d3541", "bf7776f4a3425932"],
  [{ kind: "xavier_uniform" }, "float32", "3efe748b", "3f7cdac1"],
  [{ kind: "xavier_uniform" }, "float64", "3fef9b583f9d353f", "bf7776f4a3425931"],
  [{ kind: "kaiming_normal" }, "float32", "3f1a70ed", "3fd39324"],
  [{ kind: "orthogonal" }, "float32", "3f4808da", "3f00b642"],
  [{ kind: "orthogonal" }, "bfloat16", "3f48", "3f01"],
  [{ kind: "orthogonal" }, "float64", "3fe9011b4ad2adee", "3fe016c849121186"],
];

for (const [initializer, dtype, ...bits] of TABLE) {
  test(`the first elements of ${JSON.stringify(initializer)} in ${dtype}`, () => {
    const { bytes } = sample({ name: "dense/kernel", seed: 1, shape: [2, 3], initializer, dtype });
    const size = bytes.length / 6;
    const bitsOf = (i: number): string =>
      hexadecimal(bytes.slice(i * size, (i + 1) * size).reverse());
    assert.deepEqual([bitsOf(0), bitsOf(1)], bits);
  });
}

test("a float16 or float8 tensor is the rounded float32 tensor", () => {
  const request = { name: "w", shape: [4096], initializer: { kind: "random_normal" } } as const;
  const wide = numbers(sample({ ...request, dtype: "float32" })) as number[];
  for (const [dtype, fraction, smallest] of [
    ["float16", 10, 2 ** -24],
    ["bfloat16", 7, 2 ** -133],
    ["float8_e4m3fn", 3, 2 ** -9],
    ["float8_e5m2", 2, 2 ** -16],
  ] as const) {
    const narrow = numbers(sample({ ...request, dtype }));
    const expected = wide.map((x) => rounded(x, fraction, smallest));
    assert.deepEqual(narrow, expected, dtype);
  }
});

test("float8 saturates", () => {
  const shape = [1000];
  const initializer: Initializer = { kind: "random_normal", stddev: 1e6 };
  const e4m3 = numbers(sample({ shape, initializer, dtype: "float8_e4m3fn" })) as number[];
  assert.equal(Math.max(...e4m3), 448);
  const e5m2 = numbers(sample({ shape, initializer, dtype: "float8_e5m2" })) as number[];
  assert.equal(Math.min(...e5m2), -57344);
});

test("integers are held exactly, also where float64 does not", () => {
  const value = 2n ** 64n - 1n;
  const initializer: Initializer = { kind: "constant", value };
  assert.deepEqual(numbers(sample({ shape: [2], dtype: "uint64", initializer })), [value, value]);
});

/** Nearest, ties to even, in exact arithmetic: scaled to integers of at most 24 bits. */
function rounded(x: number, fractionBits: number, smallest: number): number {
  const size = Math.abs(x);
  const unit = Math.max(2 ** (Math.floor(Math.log2(size)) - fractionBits), smallest);
  const floor = Math.floor(size / unit);
  const rest = size / unit - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  return Math.sign(x) * (up ? floor + 1 : floor) * unit;
}
