/** Floats as exact integers times powers of two, and the rounding back. */

import { float64Bits } from "./bits.js";

/** The exact value `mantissa * 2**exponent`. */
export interface Dyadic {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** A finite float64 as it is. */
export function dyadic(x: number): Dyadic {
  const bits = float64Bits(x);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = biased === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: x < 0 ? -magnitude : magnitude, exponent: Math.max(biased, 1) - 1075 };
}

/** The float64 nearest to `mantissa * 2**exponent`, ties to even. */
export function nearestFloat64({ mantissa, exponent }: Dyadic): number {
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  // The weight of the result's last bit: 53 bits, fewer for a subnormal number.
  const last = Math.max(bitLength(magnitude) + exponent - 53, -1074);
  const rounded = Number(shiftedToNearest(magnitude, last - exponent)) * 2 ** last;
  return mantissa < 0n ? -rounded : rounded;
}

function shiftedToNearest(n: bigint, places: number): bigint {
  if (places <= 0) return n << BigInt(-places);
  const shift = BigInt(places);
  const quotient = n >> shift;
  const rest = n - (quotient << shift);
  const half = 1n << (shift - 1n);
  const up = rest > half || (rest === half && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

function bitLength(n: bigint): number {
  return n === 0n ? 0 : n.toString(2).length;
}
