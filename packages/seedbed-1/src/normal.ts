/** Normal and truncated normal numbers (section 7). */

import { float32Bits, float32From, float64From, float64High, float64Low } from "./bits.js";
import type { Elements } from "./elements.js";
import { fma32, fma64, horner32, horner64 } from "./fma.js";
import {
  CENTRAL_DENOMINATOR,
  CENTRAL_NUMERATOR,
  LOG2,
  QUANTILE,
  TAIL_DENOMINATOR,
  TAIL_NUMERATOR,
} from "./tables.js";
import { intervalOf } from "./truncation.js";
import type { Words } from "./words.js";

export interface Normal {
  readonly kind: "normal";
  readonly mean: number;
  readonly stddev: number;
  /** In standard deviations from the mean; may be infinite. */
  readonly lower: number;
  readonly upper: number;
}

const WORD = 2 ** 32;
const LEAST_TAIL_32 = 2 ** -40;
const ROOT_HALF_32 = 0x3f3504f3; // the bits of sqrt(1/2)
const ROOT_HALF_64_HIGH = 0x3fe6a09e;
const ROOT_HALF_64_LOW = 0x667f3bcd;
const LN2 = 0.6931471805599453;
/** 2/21, 2/19, ... 2/1: the series of the logarithm, from its end. */
const ATANH = [21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1].map((d) => 2 / d);

export function normal32(words: Words, rule: Normal): Elements {
  const interval = intervalOf(rule, 32);
  const split = Number(interval.split);
  const step = Math.fround(interval.step);
  const lowEdge = Math.fround(interval.lowEdge);
  const highEdge = Math.fround(interval.highEdge);
  const lower = Math.fround(rule.lower);
  const upper = Math.fround(rule.upper);
  const stddev = Math.fround(rule.stddev);
  const mean = Math.fround(rule.mean);
  return (index) => {
    const word = words.word32(index);
    const isBelow = word < split;
    const distance = Math.fround(isBelow ? word : ~word >>> 0);
    let tail = fma32(Math.fround(distance + 0.5), step, isBelow ? lowEdge : highEdge);
    tail = tail < 0.5 ? tail : 0.5;
    tail = tail > LEAST_TAIL_32 ? tail : LEAST_TAIL_32;
    const z = quantile32(tail);
    return fma32(clamped(isBelow ? z : -z, lower, upper), stddev, mean);
  };
}

export function normal64(words: Words, rule: Normal): Elements {
  const { split, step, lowEdge, highEdge, remainder } = intervalOf(rule, 64);
  const splitHigh = Number(split >> 32n);
  const splitLow = Number(split & 0xffffffffn);
  const { lower, upper, stddev, mean } = rule;
  return (index) => {
    const at = words.seek64(index);
    const low = words.lanes[at]!;
    const high = words.lanes[at + 1]!;
    const isBelow = high < splitHigh || (high === splitHigh && low < splitLow);
    const distance = isBelow ? float64Of(high, low) : float64Of(~high >>> 0, ~low >>> 0);
    let tail = fma64(distance + 0.5, step, isBelow ? lowEdge : highEdge);
    tail = tail < 0.5 ? tail : 0.5;
    const steps = isBelow
      ? difference(splitHigh, splitLow, high, low, 1)
      : difference(high, low, splitHigh, splitLow, 0);
    const fromMedian = fma64(steps + 0.5, step, isBelow ? -remainder : remainder);
    const z = fromMedian <= 0.425 ? central64(fromMedian) : tail64(tail);
    return fma64(clamped(isBelow ? -z : z, lower, upper), stddev, mean);
  };
}

/** `z <= 0` with a part of `tail <= 1/2` below it. */
function quantile32(tail: number): number {
  const n = (float32Bits(tail) - ROOT_HALF_32) | 0;
  const exponent = n >> 23;
  const mantissa = float32From((n & 0x7fffff) + ROOT_HALF_32);
  const f = Math.fround(mantissa - 1);
  const square = fma32(horner32(LOG2, f), f, exponent * -0.47265625);
  const s = Math.fround(Math.sqrt(square));
  const t = Math.fround(s - 0.6875);
  const r = horner32(QUANTILE, Math.fround(s - 2.5));
  return fma32(fma32(fma32(-s, s, square), -0.125, r), t, -2 * t);
}

function central64(q: number): number {
  const x = fma64(-q, q, 0.180625);
  return fma64(q, 2.5, (horner64(CENTRAL_NUMERATOR, x) / horner64(CENTRAL_DENOMINATOR, x)) * q);
}

function tail64(p: number): number {
  const s = Math.sqrt(minusLog(p));
  const u = s - 1.5;
  return fma64(s, 1.5, horner64(TAIL_NUMERATOR, u) / horner64(TAIL_DENOMINATOR, u));
}

function minusLog(p: number): number {
  const bitsLow = float64Low(p);
  const borrow = bitsLow < ROOT_HALF_64_LOW ? 1 : 0;
  const low = (bitsLow - ROOT_HALF_64_LOW) >>> 0;
  const high = (float64High(p) - ROOT_HALF_64_HIGH - borrow) | 0;
  const exponent = high >> 20;
  const sum = low + ROOT_HALF_64_LOW;
  const carry = sum >= WORD ? 1 : 0;
  const mantissa = float64From((high & 0xfffff) + ROOT_HALF_64_HIGH + carry, sum >>> 0);
  const y = (mantissa - 1) / (mantissa + 1);
  const w = y * y;
  let v = ATANH[0]!;
  for (let k = 1; k < ATANH.length; k++) v = fma64(v, w, ATANH[k]!);
  return fma64(exponent, -LN2, -(v * y));
}

function clamped(z: number, lower: number, upper: number): number {
  const raised = z > lower ? z : lower;
  return raised < upper ? raised : upper;
}

/** An unsigned integer of 64 bits, rounded once. */
function float64Of(high: number, low: number): number {
  return high * WORD + low;
}

/** `a - b - less` of unsigned integers of 64 bits, 0 or more, rounded once. */
function difference(
  aHigh: number,
  aLow: number,
  bHigh: number,
  bLow: number,
  less: number,
): number {
  const low = aLow - bLow - less;
  return low < 0 ? float64Of(aHigh - bHigh - 1, low + WORD) : float64Of(aHigh - bHigh, low);
}
