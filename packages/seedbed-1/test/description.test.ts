/** Fans and exact distributions. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { describe, fans, numbers, sample, type TensorRequest } from "../src/index.js";

test("fans without named axes", () => {
  assert.deepEqual(fans([]), { fanIn: 1, fanOut: 1 });
  assert.deepEqual(fans([7]), { fanIn: 7, fanOut: 7 });
  assert.deepEqual(fans([3, 3, 4, 8]), { fanIn: 36, fanOut: 72 });
});

test("fans of named axes", () => {
  assert.deepEqual(fans([4, 6, 5], { inAxis: [1], outAxis: [0] }), { fanIn: 30, fanOut: 20 });
  assert.deepEqual(fans([4, 6, 5], { inAxis: [-2], outAxis: [-1], batchAxis: [0] }), {
    fanIn: 6,
    fanOut: 5,
  });
  assert.deepEqual(fans([4, 6], { batchAxis: [0] }), { fanIn: 6, fanOut: 6 });
});

test("glorot_uniform's limit is the root of 6 / (fan_in + fan_out)", () => {
  const { distribution } = describe(request("glorot_uniform"));
  const limit = Math.sqrt((3 * 1) / ((300 + 200) / 2));
  assert.deepEqual(distribution, { kind: "uniform", minval: -limit, maxval: limit });
});

test("he_normal is widened so that its standard deviation is the wanted one", () => {
  const { distribution, stddev } = describe(request("he_normal"));
  assert.equal(distribution.kind, "normal");
  const wanted = Math.sqrt(2 / 300);
  assert.ok(Math.abs(stddev! / wanted - 1) < 1e-15);
});

test("the elements have the moments that the description says", () => {
  const cases: readonly Partial<TensorRequest>[] = [
    { initializer: { kind: "random_uniform", minval: -1, maxval: 3 } },
    { initializer: { kind: "random_normal", mean: 2, stddev: 3 } },
    { initializer: { kind: "truncated_normal", mean: 1, stddev: 2, lower: -1, upper: 3 } },
    { initializer: { kind: "variance_scaling", lower: 0, upper: Infinity } },
    { initializer: { kind: "orthogonal", gain: 2 }, shape: [150, 40] },
  ];
  for (const change of cases) {
    const tensor = { ...request("zeros"), ...change };
    const { mean, stddev } = describe(tensor);
    const values = numbers(sample(tensor)) as number[];
    const count = values.length;
    const average = values.reduce((sum, x) => sum + x, 0) / count;
    const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / count;
    assert.ok(Math.abs(average - mean!) < (5 * stddev!) / Math.sqrt(count));
    assert.ok(Math.abs(Math.sqrt(variance) / stddev! - 1) < 5 / Math.sqrt(count));
  }
});

test("sparse and delta_orthogonal say which part is 0", () => {
  const sparse = describe({ ...request("zeros"), initializer: { kind: "sparse", sparsity: 0.3 } });
  assert.equal(sparse.zeros, 0.3);
  const delta = describe({ ...request("delta_orthogonal"), shape: [3, 3, 4, 8] });
  assert.equal(delta.zeros, 8 / 9);
  assert.deepEqual(delta.distribution, { kind: "orthogonal", gain: 1, length: 8 });
});

test("constants have no distribution", () => {
  assert.deepEqual(describe(request("ones")).distribution, { kind: "fixed" });
});

type Plain = "zeros" | "ones" | "glorot_uniform" | "he_normal" | "delta_orthogonal";

function request(kind: Plain): TensorRequest {
  return { name: "w", shape: [300, 200], dtype: "float32", initializer: { kind } };
}
