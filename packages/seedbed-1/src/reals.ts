/**
 * Real numbers as enclosures: two integers, in units of `2**-bits`, that a number lies between.
 *
 * "The exact value, rounded" is found with them: more and more bits, until both ends round to the
 * same float64.
 */

import { dyadic, nearestFloat64 } from "./dyadic.js";

export interface Enclosure {
  readonly low: bigint;
  readonly high: bigint;
}

const FIRST_BITS = 128;

/** The exact value that `compute` encloses, rounded once to float64. */
export function exactly(compute: (reals: Reals) => Enclosure): number {
  for (let bits = FIRST_BITS; ; bits *= 2) {
    const { low, high } = compute(new Reals(bits));
    const rounded = nearestFloat64({ mantissa: low, exponent: -bits });
    if (rounded === nearestFloat64({ mantissa: high, exponent: -bits })) return rounded;
  }
}

/** The integer below the exact value that `compute` encloses, moved into the range. */
export function exactFloor(
  compute: (reals: Reals) => Enclosure,
  least: bigint,
  most: bigint,
): bigint {
  const inRange = (n: bigint): bigint => (n < least ? least : n > most ? most : n);
  for (let bits = FIRST_BITS; ; bits *= 2) {
    const { low, high } = compute(new Reals(bits));
    const floor = inRange(low >> BigInt(bits));
    if (floor === inRange(high >> BigInt(bits))) return floor;
  }
}

/** Arithmetic of enclosures with so many bits behind the point. */
export class Reals {
  readonly one: bigint;
  readonly #shift: bigint;
  #pi: Enclosure | undefined;

  constructor(readonly bits: number) {
    this.#shift = BigInt(bits);
    this.one = 1n << this.#shift;
  }

  integer(n: bigint | number): Enclosure {
    const scaled = BigInt(n) << this.#shift;
    return { low: scaled, high: scaled };
  }

  /** `n / d`, where `d` is positive. */
  ratio(n: bigint | number, d: bigint | number): Enclosure {
    return this.quotient(this.integer(n), BigInt(d));
  }

  /** A finite float64, exactly. */
  float(x: number): Enclosure {
    const { mantissa, exponent } = dyadic(x);
    if (exponent >= 0) return this.integer(mantissa << BigInt(exponent));
    return this.quotient(this.integer(mantissa), 1n << BigInt(-exponent));
  }

  negative(a: Enclosure): Enclosure {
    return { low: -a.high, high: -a.low };
  }

  add(a: Enclosure, b: Enclosure): Enclosure {
    return { low: a.low + b.low, high: a.high + b.high };
  }

  subtract(a: Enclosure, b: Enclosure): Enclosure {
    return { low: a.low - b.high, high: a.high - b.low };
  }

  absolute(a: Enclosure): Enclosure {
    if (a.low >= 0n) return a;
    const mirrored = this.negative(a);
    return { low: a.high <= 0n ? mirrored.low : 0n, high: larger(a.high, mirrored.high) };
  }

  multiply(a: Enclosure, b: Enclosure): Enclosure {
    const products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
    return {
      low: products.reduce(smaller) >> this.#shift,
      high: -(-products.reduce(larger) >> this.#shift),
    };
  }

  /** `a * n`. */
  times(a: Enclosure, n: bigint): Enclosure {
    return n < 0n ? { low: a.high * n, high: a.low * n } : { low: a.low * n, high: a.high * n };
  }

  /** `a / n`, where `n` is positive. */
  quotient(a: Enclosure, n: bigint): Enclosure {
    return { low: floorDivide(a.low, n), high: -floorDivide(-a.high, n) };
  }

  divide(a: Enclosure, b: Enclosure): Enclosure {
    if (b.high < 0n) return this.divide(this.negative(a), this.negative(b));
    // Nothing is known yet about the quotient; the next try has more bits.
    if (b.low <= 0n) return { low: -(this.one << this.#shift), high: this.one << this.#shift };
    const low = floorDivide(a.low << this.#shift, a.low < 0n ? b.low : b.high);
    const high = -floorDivide(-a.high << this.#shift, a.high < 0n ? b.high : b.low);
    return { low, high };
  }

  /** Of a number that is not negative, though its enclosure may begin below 0. */
  squareRoot(a: Enclosure): Enclosure {
    const high = (a.high > 0n ? a.high : 0n) << this.#shift;
    const root = integerRoot(high);
    return {
      low: integerRoot((a.low > 0n ? a.low : 0n) << this.#shift),
      high: root * root === high ? root : root + 1n,
    };
  }

  /** Machin: 16 atan(1/5) - 4 atan(1/239). */
  get pi(): Enclosure {
    this.#pi ??= this.subtract(
      this.times(this.#arctangentOfInverse(5n), 16n),
      this.times(this.#arctangentOfInverse(239n), 4n),
    );
    return this.#pi;
  }

  /** `exp(-x)` for `x` of 0 or more: the series of `x / 2**s`, squared `s` times. */
  exponentialOfNegative(x: Enclosure): Enclosure {
    const halvings = Math.max(0, (x.high >> this.#shift).toString(2).length + 8);
    const small = this.quotient(x, 1n << BigInt(halvings));
    let result = this.#alternating(this.integer(1), (term, n) =>
      this.quotient(this.multiply(term, small), BigInt(n)),
    );
    for (let i = 0; i < halvings; i++) result = this.multiply(result, result);
    return result;
  }

  /** The cosine of `n / d` turns, exact where it is 0, 1 or -1; `d` is positive. */
  cosineOfTurns(n: number, d: number): Enclosure {
    const turns = mod(n, d);
    const folded = 2 * turns > d ? d - turns : turns;
    if (folded === 0) return this.integer(1);
    if (4 * folded === d) return this.integer(0);
    if (4 * folded > d) return this.negative(this.cosineOfTurns(d - 2 * folded, 2 * d));
    const angle = this.quotient(this.times(this.pi, BigInt(2 * folded)), BigInt(d));
    const square = this.multiply(angle, angle);
    return this.#alternating(this.integer(1), (term, k) =>
      this.quotient(this.multiply(term, square), BigInt((2 * k - 1) * 2 * k)),
    );
  }

  /** The sine of `n / d` turns. */
  sineOfTurns(n: number, d: number): Enclosure {
    return this.cosineOfTurns(4 * mod(n, d) - d, 4 * d);
  }

  /** `first - term1 + term2 - ...`, where terms of a unit are halved or more by each step. */
  #alternating(first: Enclosure, next: (term: Enclosure, n: number) => Enclosure): Enclosure {
    let sum = first;
    let term = first;
    for (let n = 1; term.high > 1n; n++) {
      term = next(term, n);
      sum = n % 2 === 1 ? this.subtract(sum, term) : this.add(sum, term);
    }
    return { low: sum.low - 2n, high: sum.high + 2n };
  }

  #arctangentOfInverse(n: bigint): Enclosure {
    let power = this.ratio(1, n);
    let sum = power;
    for (let k = 1n; power.high > 1n; k++) {
      power = this.quotient(power, n * n);
      const term = this.quotient(power, 2n * k + 1n);
      sum = k % 2n === 1n ? this.subtract(sum, term) : this.add(sum, term);
    }
    return { low: sum.low - 2n, high: sum.high + 2n };
  }
}

function mod(n: number, d: number): number {
  return ((n % d) + d) % d;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function floorDivide(n: bigint, d: bigint): bigint {
  const quotient = n / d;
  return n < 0n && quotient * d !== n ? quotient - 1n : quotient;
}

/** The square root, rounded down (Newton, from above). */
function integerRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
