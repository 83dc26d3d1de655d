/** Fused multiply-add: `a * b + c` with one rounding, which JavaScript lacks. */

import { dyadic, nearestFloat64 } from "./dyadic.js";

const SPLITTER = 2 ** 27 + 1;
const SMALL = 2 ** -900;
const LARGE = 2 ** 990;

/** `a * b + c` of float32 numbers, rounded once to float32. */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b; // 48 bits at most: exact
  const sum = product + c;
  const rounded = Math.fround(sum);
  // Two roundings differ from one only where the first ended halfway between two float32 numbers.
  const rest = sum - rounded;
  if (rest === 0) return rounded;
  const other = rounded + 2 * rest;
  if (Math.fround(other) !== other) return rounded;
  const error = sumError(product, c, sum);
  return error !== 0 && error > 0 === rest > 0 ? other : rounded;
}

/**
 * `a * b + c` of float64 numbers, rounded once.
 *
 * Product and sums are unevaluated pairs of float64 numbers, after Boldo and Melquiond, "Emulation
 * of a FMA and correctly rounded sums", IEEE Transactions on Computers 57 (4), 2008. Instead of
 * rounding the tail to odd, the only case in which that matters is looked for: an exact tie.
 */
export function fma64(a: number, b: number, c: number): number {
  const product = a * b;
  const size = Math.abs(product);
  const inRange =
    size > SMALL &&
    size < LARGE &&
    Math.abs(a) < LARGE &&
    Math.abs(b) < LARGE &&
    Math.abs(c) < LARGE;
  if (!inRange) return fma64OutOfRange(a, b, c);

  const productTail = productError(a, b, product);
  const upper = c + productTail;
  const upperTail = sumError(c, productTail, upper);
  const head = product + upper;
  const headTail = sumError(product, upper, head);
  const tail = headTail + upperTail;
  const lost = sumError(headTail, upperTail, tail);
  const result = head + tail;
  if (lost === 0) return result;
  const rest = sumError(head, tail, result);
  const other = result + 2 * rest;
  const isTie = rest !== 0 && other - result === 2 * rest;
  return isTie && lost > 0 === rest > 0 ? other : result;
}

/** `T[0] + x * (T[1] + x * ...)` in float32, from the highest power down. */
export function horner32(table: readonly number[], x: number): number {
  let r = table[table.length - 1]!;
  for (let k = table.length - 2; k >= 0; k--) r = fma32(r, x, table[k]!);
  return r;
}

/** The same in float64. */
export function horner64(table: readonly number[], x: number): number {
  let r = table[table.length - 1]!;
  for (let k = table.length - 2; k >= 0; k--) r = fma64(r, x, table[k]!);
  return r;
}

/** What `sum = a + b` lost in rounding, exactly (Knuth). */
function sumError(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  const aPart = sum - bPart;
  return a - aPart + (b - bPart);
}

/** What `product = a * b` lost in rounding, exactly (Dekker, Veltkamp). */
function productError(a: number, b: number, product: number): number {
  const aScaled = SPLITTER * a;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = SPLITTER * b;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

function fma64OutOfRange(a: number, b: number, c: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0 || b === 0) return a * b + c;
  if (!Number.isFinite(c)) return c;
  const x = dyadic(a);
  const y = dyadic(b);
  const z = dyadic(c);
  const exponent = Math.min(x.exponent + y.exponent, z.exponent);
  const product = (x.mantissa * y.mantissa) << BigInt(x.exponent + y.exponent - exponent);
  const addend = z.mantissa << BigInt(z.exponent - exponent);
  return nearestFloat64({ mantissa: product + addend, exponent });
}
