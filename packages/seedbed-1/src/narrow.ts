/** Rounding of float32 numbers to 16 and 8 bits (section 8), and what such bits mean. */

import { float32Bits, float32From } from "./bits.js";

/** A floating type of fewer bits than float32. */
export interface NarrowFloat {
  readonly exponentBits: number;
  readonly fractionBits: number;
  /** Without the sign: what stands for everything beyond the largest number. */
  readonly beyond: number;
  /** The largest finite number. */
  readonly largest: number;
}

export const FLOAT16: NarrowFloat = {
  exponentBits: 5,
  fractionBits: 10,
  beyond: 0x7c00,
  largest: 65504,
};
export const BFLOAT16: NarrowFloat = {
  exponentBits: 8,
  fractionBits: 7,
  beyond: 0x7f80,
  largest: (2 - 2 ** -7) * 2 ** 127,
};
/** Saturates. */
export const FLOAT8_E4M3FN: NarrowFloat = {
  exponentBits: 4,
  fractionBits: 3,
  beyond: 0x7e,
  largest: 448,
};
/** Saturates. */
export const FLOAT8_E5M2: NarrowFloat = {
  exponentBits: 5,
  fractionBits: 2,
  beyond: 0x7b,
  largest: 57344,
};

/** The bits of the nearest number, ties to even; `x` is rounded to float32 first. */
export function narrowBits(x: number, type: NarrowFloat): number {
  const bits = float32Bits(x);
  const magnitude = bits & 0x7fffffff;
  const { exponentBits, fractionBits, beyond } = type;
  const bias = biasOf(type);
  const shift = 23 - fractionBits;
  let rounded: number;
  if (magnitude < (128 - bias) << 23) {
    // Subnormal: the sum's last bit is the type's smallest number, so float32 rounds as it must.
    const magic = 2 ** (24 - bias - fractionBits);
    rounded = float32Bits(float32From(magnitude) + magic) - float32Bits(magic);
  } else {
    const isOdd = (magnitude >>> shift) & 1;
    const rebased = magnitude - ((127 - bias) << 23);
    rounded = (rebased + (1 << (shift - 1)) - 1 + isOdd) >>> shift;
  }
  const sign = (bits >>> 31) << (exponentBits + fractionBits);
  return sign | Math.min(rounded, beyond);
}

/** The number that such bits stand for; those of a NaN are not asked for. */
export function narrowValue(bits: number, type: NarrowFloat): number {
  const { exponentBits, fractionBits } = type;
  const sign = (bits >>> (exponentBits + fractionBits)) & 1 ? -1 : 1;
  const exponent = (bits >>> fractionBits) & ((1 << exponentBits) - 1);
  const fraction = bits & ((1 << fractionBits) - 1);
  const leading = exponent === 0 ? 0 : 1 << fractionBits;
  const power = Math.max(exponent, 1) - biasOf(type) - fractionBits;
  return sign * (leading + fraction) * 2 ** power;
}

function biasOf({ exponentBits }: NarrowFloat): number {
  return (1 << (exponentBits - 1)) - 1;
}
