/** Words: Philox4x32-10, numbered by the element that takes them (section 3). */

import type { Key } from "./key.js";

// From Random123: PHILOX_M4x32_0, PHILOX_M4x32_1, PHILOX_W32_0, PHILOX_W32_1.
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The words of one key. Neighbours come from the same block, so the last block is kept. */
export class Words {
  /** The lanes of the current block. */
  readonly lanes = new Uint32Array(4);
  #block = -1;

  constructor(private readonly key: Key) {}

  /** The 32-bit word of an element. */
  word32(index: number): number {
    const lane = index % 4;
    this.#seek((index - lane) / 4);
    return this.lanes[lane]!;
  }

  /** Where in `lanes` the 64-bit word of an element now is: its lower half, then its upper. */
  seek64(index: number): number {
    const half = index % 2;
    this.#seek((index - half) / 2);
    return 2 * half;
  }

  #seek(block: number): void {
    if (block === this.#block) return;
    this.#block = block;
    philox(this.lanes, block >>> 0, Math.floor(block / 2 ** 32), this.key);
  }
}

/** Writes the four lanes of the block `counter0 + 2**32 * counter1` into `lanes`. */
export function philox(lanes: Uint32Array, counter0: number, counter1: number, key: Key): void {
  let x0 = counter0;
  let x1 = counter1;
  let x2 = key.counter2;
  let x3 = key.counter3;
  let k0 = key.key0;
  let k1 = key.key1;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highProduct(MULTIPLIER_0, x0);
    const high1 = highProduct(MULTIPLIER_1, x2);
    const low0 = Math.imul(MULTIPLIER_0, x0);
    const low1 = Math.imul(MULTIPLIER_1, x2);
    x0 = (high1 ^ x1 ^ k0) >>> 0;
    x1 = low1 >>> 0;
    x2 = (high0 ^ x3 ^ k1) >>> 0;
    x3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  lanes[0] = x0;
  lanes[1] = x1;
  lanes[2] = x2;
  lanes[3] = x3;
}

/** The upper 32 bits of a product; a uint32 times 16 bits is exact in float64. */
function highProduct(a: number, b: number): number {
  const lower = b * (a & 0xffff);
  const upper = b * (a >>> 16) + Math.floor(lower / 65536);
  return Math.floor(upper / 65536);
}
