/** Exact reals, and what section 12 of docs/numerics.md says of truncation. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { exactly } from "../src/reals.js";
import { intervalOf, momentsOf } from "../src/truncation.js";

test("constants and functions are rounded as mathematics has them", () => {
  assert.equal(exactly((r) => r.pi), Math.PI);
  assert.equal(exactly((r) => r.squareRoot(r.integer(2))), Math.SQRT2);
  assert.equal(exactly((r) => r.exponentialOfNegative(r.integer(1))), 1 / Math.E);
  assert.equal(exactly((r) => r.cosineOfTurns(1, 8)), Math.SQRT1_2);
  assert.equal(exactly((r) => r.sineOfTurns(1, 12)), 0.5);
  assert.equal(exactly((r) => r.ratio(-1, 3)), -1 / 3);
});

test("what is exact stays exact", () => {
  const turns = [0, 1, 2, 3, 4, -1, 7].map((n) => exactly((r) => r.cosineOfTurns(n, 4)));
  assert.deepEqual(turns, [1, 0, -1, 0, 1, 0, 0]);
  assert.equal(exactly((r) => r.float(5e-324)), 5e-324);
});

test("the standard deviation that bounds leave", () => {
  assert.equal(momentsOf({ lower: -2, upper: 2 }).stddev, 0.87962566103423978);
  assert.equal(momentsOf({ lower: -1, upper: 3 }).stddev, 0.784946963404426);
  assert.deepEqual(momentsOf({ lower: -Infinity, upper: Infinity }), { mean: 0, stddev: 1 });
});

test("bounds that are closer than float64 shows leave what they must", () => {
  const distance = 2 ** -52;
  const { mean, stddev } = momentsOf({ lower: 1, upper: 1 + distance });
  assert.ok(Math.abs(stddev / (distance / Math.sqrt(12)) - 1) < 1e-15);
  assert.ok(mean === 1 || mean === 1 + distance);
  const tiny = momentsOf({ lower: 1e-300, upper: 3e-300 });
  assert.ok(Math.abs(tiny.stddev / (2e-300 / Math.sqrt(12)) - 1) < 1e-15);
});

test("the interval of bounds of two standard deviations", () => {
  const interval = intervalOf({ lower: -2, upper: 2 }, 32);
  assert.equal(interval.split, 2147483648n);
  assert.equal(interval.step, 2.2223678792445957e-10);
  assert.equal(interval.lowEdge, 0.02275013194817921);
  assert.equal(interval.highEdge, 0.02275013194817921);
});

test("the interval of bounds that are not symmetric", () => {
  assert.deepEqual(intervalOf({ lower: -1, upper: 3 }, 64), {
    split: 7496116418270083667n,
    step: 4.55362119559126e-20,
    lowEdge: 0.15865525393145705,
    highEdge: 0.0013498980316300946,
    remainder: -3.165568756579808e-20,
  });
});

test("the interval without bounds, or with bounds that count as infinite", () => {
  const unbounded = {
    split: 2n ** 63n,
    step: 2 ** -64,
    lowEdge: 0,
    highEdge: 0,
    remainder: 0,
  };
  assert.deepEqual(intervalOf({ lower: -Infinity, upper: Infinity }, 64), unbounded);
  assert.deepEqual(intervalOf({ lower: -14.5, upper: 15 }, 64), unbounded);
});

test("an interval that ends at the median", () => {
  const interval = intervalOf({ lower: -Infinity, upper: 0 }, 64);
  assert.equal(interval.split, 2n ** 64n - 1n);
  assert.equal(interval.remainder, -(2 ** -65));
  assert.equal(intervalOf({ lower: 0, upper: 1 }, 32).split, 0n);
});
