/** Digests against known answers and Node's own SHA-256. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { ArgumentError, digest, hexadecimal, type DigestAlgorithm } from "../src/index.js";

/** XXH3-128 of the bytes `(7 i + 3) mod 256`, by length, from the xxHash library 0.8.4. */
const XXH3: Readonly<Record<number, string>> = {
  0: "99aa06d3014798d86001c324468d497f",
  1: "22bbb76b211a39ba13e608bc156defed",
  2: "a6b9dd53b14487221c9074b93943b86c",
  3: "ce31763cbf8245a5a9088dda485b481c",
  4: "47197970590746b1788a609154b0fe20",
  5: "5787f33cbc36d4c8d3497975144f78a7",
  8: "e3bc8a5f461715553cd024e3d63a1588",
  9: "c72c88247a9a56d7eafab1c7f123109f",
  12: "f7314c62630bc633381c69c9c2498dfa",
  16: "ce0b9647ab24f88460d75c5e47d40a24",
  17: "bfd327edcc2fbd12eeed7654312a26d7",
  31: "670ee2d79d2552f8262deca043341a5b",
  32: "4f130f27ab6baf45d761fd22e8ad5262",
  33: "d15b272993d9830f4193c535612ac940",
  64: "fed953fe6a8b2b63aa549d72c69cd267",
  96: "2a350495986db37a0ab63bcfbc907abb",
  97: "3ffe2e0f781d623c8d17d1afec22619e",
  127: "53745ba8fa76a647adf3a645363f89f8",
  128: "1b1962a096bac78bc580008b6c92ac53",
  129: "293e4968c4619023bd91ce7ace4d385b",
  144: "0917daace4c5e800099dc87a7bea5f13",
  159: "8a0a63a01ba7e83adcbee76d3b570623",
  160: "d71519a37cb75ab60e298e02860a8fd0",
  161: "833e8405049a437390aca841910b958f",
  191: "738b979208f753f22796ec5c23740beb",
  192: "5b0037784bee7fc64ed998764c521fac",
  239: "cb7a8da57ad8329249fb6a0a5210e031",
  240: "ad46c1021b076bc704e0b5f034bee80b",
  241: "ac6c3492c3d6b45d8beadd3a8874fe17",
  255: "d054b43eb9c37cd3b67b6637a76e6c39",
  256: "77f21db933350c7e3c38817f6d79c0da",
  257: "75f2e27f8efc335d2a300c3495738ea6",
  320: "3d82389ba0c04d3344bee046b4a45d45",
  1023: "dedd3c0d6bceed34d26986a0b85dcc44",
  1024: "18bc0eaca9a336369b81661c641c72b1",
  1025: "bf447251cfa98d7c806c2072ed713576",
  1087: "7ee88b20caf6ea550d058f8dbd85227e",
  1088: "3d034f977992699d2f8781e01841f0da",
  1089: "401ef80590aa3e002a90437fe231e7e8",
  2048: "f81f6e8f418d8075abe604813ba62ed1",
  2049: "fc9da7340154dc6c55aed42c9f1554b6",
  10000: "614feaaa3ff5ae66fcd0ecba1a48462d",
};

for (const [length, expected] of Object.entries(XXH3)) {
  test(`XXH3-128 of ${length} bytes`, () => {
    assert.equal(digest(someBytes(Number(length))), expected);
  });
}

test("SHA-256 of every length up to three blocks is that of Node", () => {
  for (let length = 0; length <= 192; length++) {
    const bytes = someBytes(length);
    const expected = createHash("sha256").update(bytes).digest("hex");
    assert.equal(digest(bytes, "sha256"), expected, `${length} bytes`);
  }
});

test("a digest is of the view, not of the buffer behind it", () => {
  const view = someBytes(300).subarray(7, 290);
  const copy = Uint8Array.from(view);
  assert.equal(digest(view), digest(copy));
  assert.equal(digest(view, "sha256"), digest(copy, "sha256"));
});

test("another algorithm is refused", () => {
  const other = "crc32" as DigestAlgorithm;
  assert.throws(() => digest(someBytes(1), other), ArgumentError);
  assert.throws(() => digest(someBytes(1), other), /must be xxh3_128 or sha256. Received: "crc32"/);
});

test("hexadecimal has two digits for each byte", () => {
  assert.equal(hexadecimal(Uint8Array.of(0, 10, 255)), "000aff");
});

function someBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (7 * i + 3) % 256);
}
