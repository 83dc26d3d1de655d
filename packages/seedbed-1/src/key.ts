/** Keys: what seed, draw and name give to every word (section 2). */

import { require } from "./errors.js";
import { sha256 } from "./sha256.js";

const MAX_NAME_BYTES = 1024;
const LONE_SURROGATE = /\p{Surrogate}/u;
const CONTRACT = new TextEncoder().encode("seedbed-1\0");

/** A Philox key and the upper half of its counter, each a uint32. */
export interface Key {
  readonly key0: number;
  readonly key1: number;
  readonly counter2: number;
  readonly counter3: number;
}

export interface Keys {
  /** For all values. */
  readonly values: Key;
  /** For where a sparse tensor is zero. */
  readonly places: Key;
}

export function deriveKeys(seed: bigint, draw: bigint, name: string): Keys {
  const material = new DataView(sha256(keyMaterial(seed, draw, name)).buffer);
  return { values: keyAt(material, 0), places: keyAt(material, 16) };
}

/** The name's bytes in UTF-8, as they are. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  require(bytes.length <= MAX_NAME_BYTES, "name", "must have at most 1024 bytes in UTF-8", name);
  // The encoder would put U+FFFD in the place of a lone surrogate, which has no UTF-8.
  require(!LONE_SURROGATE.test(name), "name", "must have no lone surrogates", name);
  return bytes;
}

function keyMaterial(seed: bigint, draw: bigint, name: string): Uint8Array {
  const text = nameBytes(name);
  const material = new Uint8Array(CONTRACT.length + 16 + text.length);
  material.set(CONTRACT);
  const integers = new DataView(material.buffer, CONTRACT.length, 16);
  integers.setBigUint64(0, BigInt.asUintN(64, seed), true);
  integers.setBigUint64(8, draw, true);
  material.set(text, CONTRACT.length + 16);
  return material;
}

function keyAt(material: DataView, at: number): Key {
  const word = (i: number): number => material.getUint32(at + 4 * i, true);
  return { key0: word(0), key1: word(1), counter2: word(2), counter3: word(3) };
}
