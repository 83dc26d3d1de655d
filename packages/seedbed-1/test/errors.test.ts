/** What is refused, and the words for it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ArgumentError, describe, sample, type TensorRequest } from "../src/index.js";

const GOOD: TensorRequest = {
  shape: [2, 3],
  dtype: "float32",
  initializer: { kind: "random_normal" },
};

/** A change to the good request, the argument that is to blame, and a part of the message. */
const BAD: readonly (readonly [object, string, RegExp])[] = [
  [{ shape: [2, -1] }, "shape", /must have integers of 0 or more. Received: \[2, -1\]/],
  [{ shape: [2.5] }, "shape", /Received: \[2.5\]/],
  [{ shape: [2 ** 30, 2 ** 30] }, "shape", /product is below 2\*\*53/],
  [{ dtype: "float99" }, "dtype", /must be one of float16, .*bool. Received: "float99"/],
  [{ dtype: "int8" }, "dtype", /must be a floating one for random_normal. Received: "int8"/],
  [{ seed: 0.5 }, "seed", /integer from -2\*\*63 to 2\*\*64 - 1/],
  [{ seed: 2n ** 64n }, "seed", /Received: 18446744073709551616/],
  [{ draw: -1 }, "draw", /integer from 0 to 2\*\*64 - 1.*Received: -1/],
  [{ name: "é".repeat(513) }, "name", /at most 1024 bytes/],
  [{ name: "\ud800" }, "name", /surrogate/],
  [{ slice: { starts: [0], lengths: [1, 1] } }, "slice.starts", /must have 2 integers/],
  [{ slice: { starts: [0, 1], lengths: [1, 3] } }, "slice", /within the shape \[2, 3\]/],
  [{ fanAxes: { inAxis: [2] } }, "fanAxes.inAxis", /must be from -2 to 1. Received: 2/],
  [{ fanAxes: { inAxis: [0], outAxis: [-2] } }, "fanAxes", /each axis once/],
  [{ initializer: { kind: "glorot" } }, "initializer.kind", /must be one of zeros, .*"glorot"/],
  [{ initializer: { kind: "zeros", value: 1 } }, "zeros", /takes no parameters/],
  [{ initializer: { kind: "random_normal", std: 1 } }, "random_normal", /takes mean, stddev/],
  [{ initializer: { kind: "random_normal", stddev: -1 } }, "stddev", /Received: -1/],
  [{ initializer: { kind: "random_normal", stddev: 1e38 } }, "|mean| + 11 * stddev", /float32/],
  [{ initializer: { kind: "random_normal", mean: NaN } }, "mean", /must be finite/],
  [{ initializer: { kind: "random_normal", mean: 1e6 }, dtype: "float16" }, "|mean|", /65504/],
  [{ initializer: { kind: "xavier_normal", gain: 1e38 } }, "16.5 * gain", /must be at most/],
  [{ initializer: { kind: "variance_scaling", scale: 1e308 } }, "3 * scale", /Infinity/],
  [
    { initializer: { kind: "variance_scaling", scale: 1e12 }, dtype: "float16" },
    "scale's farthest number",
    /at most 65504/,
  ],
  [{ initializer: { kind: "random_uniform", minval: 2, maxval: 1 } }, "maxval", /minval=2/],
  [
    { initializer: { kind: "random_uniform", minval: -3e38, maxval: 3e38 } },
    "maxval - minval",
    /must be at most 3.4/,
  ],
  [{ initializer: { kind: "truncated_normal", lower: 3, upper: 3 } }, "upper", /lower=3/],
  [{ initializer: { kind: "truncated_normal", lower: 5, upper: 6 } }, "lower", /at most 4/],
  [{ initializer: { kind: "truncated_normal", lower: NaN } }, "lower", /Received: NaN/],
  [
    { initializer: { kind: "variance_scaling", distribution: "uniform", upper: 3 } },
    "lower and upper",
    /must be -2 and 2 for distribution=uniform/,
  ],
  [{ initializer: { kind: "kaiming_normal", mode: "fan_avg" } }, "mode", /fan_in, fan_out/],
  [{ initializer: { kind: "kaiming_normal", a: 1e200 } }, "a", /square/],
  [{ initializer: { kind: "sparse" } }, "sparsity", /from 0 to 1. Received: undefined/],
  [{ initializer: { kind: "sparse", sparsity: 0.5 }, shape: [3] }, "shape", /two axes/],
  [{ initializer: { kind: "identity" }, shape: [3] }, "shape", /two axes/],
  [{ initializer: { kind: "orthogonal" }, shape: [3] }, "shape", /two axes or more/],
  [{ initializer: { kind: "orthogonal", blocks: 2 } }, "blocks", /divide the length 3 of axis 1/],
  [
    { initializer: { kind: "orthogonal", block_axis: 2 } },
    "block_axis",
    /must be from -2 to 1. Received: 2/,
  ],
  [{ initializer: { kind: "orthogonal", gain: 3e38 } }, "2 * |gain|", /dtype=float32/],
  [{ initializer: { kind: "delta_orthogonal" } }, "shape", /three to five axes/],
  [
    { initializer: { kind: "delta_orthogonal" }, shape: [3, 4, 3] },
    "shape",
    /more inputs than outputs/,
  ],
  [
    { initializer: { kind: "dirac" }, shape: [2, 3, 4, 5], fanAxes: { batchAxis: [0] } },
    "fanAxes.inAxis",
    /must have one axis. Received: \[\]/,
  ],
  [{ initializer: { kind: "dirac", groups: 2 }, shape: [3, 4, 3] }, "groups", /the 3 outputs/],
  [{ initializer: { kind: "stft" } }, "shape", /\[N, 1, B\]/],
  [{ initializer: { kind: "stft" }, shape: [2, 1, 3] }, "scaling", /whole window hann/],
  [{ initializer: { kind: "constant", value: 0.5 }, dtype: "int8" }, "value", /from -128 to 127/],
  [{ initializer: { kind: "constant", value: 2 }, dtype: "bool" }, "value", /from 0 to 1/],
  [{ initializer: { kind: "constant", value: 65520 }, dtype: "float16" }, "value", /65504/],
  [{ initializer: { kind: "constant", value: 465 }, dtype: "float8_e4m3fn" }, "value", /448/],
  [{ initializer: { kind: "constant", value: Infinity } }, "value", /must be finite/],
];

for (const [change, argument, message] of BAD) {
  const title = Object.keys(change).join(", ");
  test(`${title} that would make no tensor: ${argument} is named`, () => {
    const request = { ...GOOD, ...change } as TensorRequest;
    const isRight = (error: unknown): boolean => {
      assert.ok(error instanceof ArgumentError);
      assert.equal(error.argument, argument);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`${argument} `));
      return true;
    };
    assert.throws(() => sample(request), isRight);
    assert.throws(() => describe(request), isRight);
  });
}
