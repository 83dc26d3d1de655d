/** Fused multiply-add against exact integer arithmetic. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { float32From, float64From } from "../src/bits.js";
import { dyadic, nearestFloat64 } from "../src/dyadic.js";
import { fma32, fma64 } from "../src/fma.js";
import { Words } from "../src/words.js";

const words = new Words({ key0: 1, key1: 2, counter2: 3, counter3: 4 });
let drawn = 0;

test("fma64 is the exact sum, rounded once, for numbers of any size", () => {
  for (let i = 0; i < 50_000; i++) checkFma64(anyFloat64(), anyFloat64(), anyFloat64());
});

test("fma64 is the exact sum, rounded once, where product and addend nearly cancel", () => {
  for (let i = 0; i < 50_000; i++) {
    const [a, b] = [nearOne(), nearOne()];
    checkFma64(a, b, -a * b * (1 + (next() % 3) * 2 ** -52));
    checkFma64(a, b, nearOne() * 2 ** ((next() % 120) - 60));
  }
});

test("fma64 decides ties by what a sum of two roundings would have lost", () => {
  const half = 2 ** -53;
  checkFma64(1 + 2 ** -30, 1 - 2 ** -30, 2 ** 53);
  checkFma64(half, 1 + 2 ** -52, 1);
  checkFma64(half, 1 - half, 1);
  checkFma64(-half, 1 + 2 ** -52, 1 + 2 ** -52);
  assert.equal(fma64(half, 1 + 2 ** -52, 1), 1 + 2 ** -52);
  assert.equal(fma64(half, 1 - half, 1), 1);
});

test("fma64 keeps signs of zero, infinities and NaN as IEEE 754 does", () => {
  assert.ok(Object.is(fma64(-0, 1, -0), -0));
  assert.ok(Object.is(fma64(-0, 1, 0), 0));
  assert.ok(Object.is(fma64(2 ** -600, -(2 ** -600), 0), -0));
  assert.ok(Object.is(fma64(3, 5, -15), 0));
  assert.equal(fma64(2 ** 600, 2 ** 600, -Infinity), -Infinity);
  assert.equal(fma64(2 ** 1000, 2 ** 24, -(2 ** 1023)), 2 ** 1023);
  assert.ok(Number.isNaN(fma64(0, Infinity, 1)));
});

test("fma32 is the exact sum, rounded once to float32", () => {
  for (let i = 0; i < 100_000; i++) {
    const [a, b, c] = [anyFloat32(), anyFloat32(), anyFloat32()] as const;
    const near = Math.fround(-a * b * (1 + (next() % 3) * 2 ** -23));
    for (const addend of [c, near]) {
      if (![a, b, addend].every(Number.isFinite)) continue;
      const expected = exactFloat32(exactSum(a, b, addend));
      if (Number.isFinite(expected)) assert.equal(fma32(a, b, addend), expected);
    }
  }
});

test("fma32 does not round twice", () => {
  // The square is halfway between two float32 numbers; beside it, 2**-60 is lost in float64.
  const root = 1 + 2 ** -12;
  const even = 1 + 2 ** -11;
  assert.equal(fma32(root, root, 2 ** -60), even + 2 ** -23);
  assert.equal(fma32(root, root, -(2 ** -60)), even);
  assert.equal(fma32(root, root, 0), even);
  assert.equal(fma32(-root, root, -(2 ** -60)), -even - 2 ** -23);
  assert.equal(fma32(2 ** -12, 2 ** -12, 1), 1);
  assert.equal(fma32(-(2 ** -100), 2 ** -50, 2 ** -149), 0);
  assert.equal(fma32(-(2 ** -100), 2 ** -51, 2 ** -149), 2 ** -149);
});

function checkFma64(a: number, b: number, c: number): void {
  if (![a, b, c].every(Number.isFinite)) return;
  const { mantissa, exponent } = exactSum(a, b, c);
  if (mantissa === 0n) return;
  const received = fma64(a, b, c);
  const expected = nearestFloat64({ mantissa, exponent });
  assert.ok(Object.is(received, expected), `fma(${a}, ${b}, ${c}): ${received}, not ${expected}`);
}

function exactSum(a: number, b: number, c: number): { mantissa: bigint; exponent: number } {
  const [x, y, z] = [dyadic(a), dyadic(b), dyadic(c)];
  const exponent = Math.min(x.exponent + y.exponent, z.exponent);
  const product = (x.mantissa * y.mantissa) << BigInt(x.exponent + y.exponent - exponent);
  return { mantissa: product + (z.mantissa << BigInt(z.exponent - exponent)), exponent };
}

/** The nearest float32, by comparing the exact distances of its neighbours. */
function exactFloat32({ mantissa, exponent }: { mantissa: bigint; exponent: number }): number {
  if (mantissa === 0n) return 0;
  const size = mantissa < 0n ? -mantissa : mantissa;
  const last = Math.max(size.toString(2).length + exponent - 24, -149);
  const shift = last - exponent;
  let kept = shift <= 0 ? size << BigInt(-shift) : size >> BigInt(shift);
  if (shift > 0) {
    const rest = size - (kept << BigInt(shift));
    const half = 1n << BigInt(shift - 1);
    if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n;
  }
  const value = Number(kept) * 2 ** last;
  return Math.fround(mantissa < 0n ? -value : value);
}

function next(): number {
  return words.word32(drawn++);
}

function anyFloat64(): number {
  return float64From(next(), next());
}

function anyFloat32(): number {
  return float32From(next());
}

function nearOne(): number {
  return 1 + (next() + next() * 2 ** 20) * 2 ** -53;
}
