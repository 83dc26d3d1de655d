/** Philox against the known answers of Random123, and keys against the worked example. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { deriveKeys } from "../src/key.js";
import { philox, Words } from "../src/words.js";

const KNOWN_ANSWERS = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    lanes: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    lanes: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    lanes: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const;

for (const { counter, key, lanes } of KNOWN_ANSWERS) {
  test(`Philox4x32-10 of the counter ${counter.map((word) => word.toString(16))}`, () => {
    const [c0, c1, counter2, counter3] = counter;
    const received = new Uint32Array(4);
    philox(received, c0, c1, { key0: key[0], key1: key[1], counter2, counter3 });
    assert.deepEqual([...received], [...lanes]);
  });
}

test("the keys of the worked example", () => {
  assert.deepEqual(deriveKeys(1n, 0n, "dense/kernel"), {
    values: { key0: 0x618691e5, key1: 0xb96404af, counter2: 0x3d9018d8, counter3: 0x282aeb8b },
    places: { key0: 0x24328e82, key1: 0xcfc15c17, counter2: 0xdfcf3768, counter3: 0xcde0d7cb },
  });
});

test("a negative seed stands for seed + 2**64", () => {
  assert.deepEqual(deriveKeys(-1n, 0n, "w"), deriveKeys(2n ** 64n - 1n, 0n, "w"));
});

test("elements find their words in any order", () => {
  const words = new Words(deriveKeys(1n, 0n, "dense/kernel").values);
  assert.equal(words.word32(3), 0x7f54a366);
  assert.equal(words.word32(0), 0xba123ab5);
  assert.equal(words.seek64(1), 2);
  assert.deepEqual([...words.lanes.subarray(2)], [0x153b1894, 0x7f54a366]);
});

test("a block beyond 2**32 has a counter of two words", () => {
  const { values } = deriveKeys(1n, 0n, "w");
  const lanes = new Uint32Array(4);
  philox(lanes, 5, 3, values);
  assert.equal(new Words(values).word32(4 * (3 * 2 ** 32 + 5) + 1), lanes[1]);
});
