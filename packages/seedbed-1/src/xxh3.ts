/** XXH3-128 with seed 0 and the default secret, as in xxHash's doc/xxhash_spec.md. */

const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

const SECRET = bytesOf(
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f" +
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c" +
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8" +
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364" +
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e" +
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e",
);
const STRIPE = 64;
const STRIPES_IN_A_BLOCK = (SECRET.byteLength - STRIPE) / 8;

/** The halves of the 128-bit digest. */
interface Halves {
  readonly low: bigint;
  readonly high: bigint;
}

/** The 16 bytes of the digest's canonical, big-endian form. */
export function xxh3_128(data: Uint8Array): Uint8Array {
  const { low, high } = halves(new DataView(data.buffer, data.byteOffset, data.byteLength));
  const digest = new DataView(new ArrayBuffer(16));
  digest.setBigUint64(0, high);
  digest.setBigUint64(8, low);
  return new Uint8Array(digest.buffer);
}

function halves(data: DataView): Halves {
  const length = data.byteLength;
  if (length === 0) return ofNothing();
  if (length <= 3) return ofUpTo3(data);
  if (length <= 8) return ofUpTo8(data);
  if (length <= 16) return ofUpTo16(data);
  if (length <= 240) return ofUpTo240(data);
  return ofMore(data);
}

function ofNothing(): Halves {
  return { low: avalanche64(secret(64) ^ secret(72)), high: avalanche64(secret(80) ^ secret(88)) };
}

function ofUpTo3(data: DataView): Halves {
  const length = data.byteLength;
  const combined =
    (data.getUint8(length - 1) |
      (length << 8) |
      (data.getUint8(0) << 16) |
      (data.getUint8(length >> 1) << 24)) >>>
    0;
  const swapped = Number(swap32(BigInt(combined)));
  const rotated = ((swapped << 13) | (swapped >>> 19)) >>> 0;
  return {
    low: avalanche64(secret32(0) ^ secret32(4) ^ BigInt(combined)),
    high: avalanche64(secret32(8) ^ secret32(12) ^ BigInt(rotated)),
  };
}

function ofUpTo8(data: DataView): Halves {
  const length = data.byteLength;
  const first = BigInt(data.getUint32(0, true));
  const last = BigInt(data.getUint32(length - 4, true));
  const value = secret(16) ^ secret(24) ^ (first | (last << 32n));
  const product = value * (PRIME64_1 + BigInt(length << 2));
  let low = u64(product);
  const high = u64((product >> 64n) + (low << 1n));
  low ^= high >> 3n;
  low ^= low >> 35n;
  low = u64(low * PRIME_MX2);
  low ^= low >> 28n;
  return { low, high: avalanche(high) };
}

function ofUpTo16(data: DataView): Halves {
  const length = data.byteLength;
  const first = word(data, 0);
  const last = word(data, length - 8);
  const mixed = secret(32) ^ secret(40) ^ first ^ last;
  const other = secret(48) ^ secret(56) ^ last;
  const product = mixed * PRIME64_1;
  let low = u64(u64(product) + (BigInt(length - 1) << 54n));
  const high = u64(
    (product >> 64n) + (other >> 32n << 32n) + (other & 0xffffffffn) * PRIME32_2,
  );
  low ^= swap64(high);
  const second = low * PRIME64_2;
  return {
    low: avalanche(u64(second)),
    high: avalanche(u64((second >> 64n) + high * PRIME64_2)),
  };
}

function ofUpTo240(data: DataView): Halves {
  const length = data.byteLength;
  const acc: [bigint, bigint] = [u64(BigInt(length) * PRIME64_1), 0n];
  if (length <= 128) {
    for (let i = (length - 1) >> 5; i >= 0; i--) {
      mixTwo(acc, data, [16 * i, length - 16 * i - 16], 32 * i);
    }
  } else {
    for (let i = 0; i < 4; i++) mixTwo(acc, data, [32 * i, 32 * i + 16], 32 * i);
    acc[0] = avalanche(acc[0]);
    acc[1] = avalanche(acc[1]);
    for (let i = 4; i < length >> 5; i++) {
      mixTwo(acc, data, [32 * i, 32 * i + 16], 32 * (i - 4) + 3);
    }
    mixTwo(acc, data, [length - 16, length - 32], 103);
  }
  const high = acc[0] * PRIME64_1 + acc[1] * PRIME64_4 + BigInt(length) * PRIME64_2;
  return { low: avalanche(u64(acc[0] + acc[1])), high: u64(-avalanche(u64(high))) };
}

function mixTwo(
  acc: [bigint, bigint],
  data: DataView,
  [one, two]: readonly [number, number],
  secretAt: number,
): void {
  const sum = (at: number): bigint => u64(word(data, at) + word(data, at + 8));
  acc[0] = u64(acc[0] + mixStep(data, one, secretAt)) ^ sum(two);
  acc[1] = u64(acc[1] + mixStep(data, two, secretAt + 16)) ^ sum(one);
}

function mixStep(data: DataView, at: number, secretAt: number): bigint {
  return folded(word(data, at) ^ secret(secretAt), word(data, at + 8) ^ secret(secretAt + 8));
}

function ofMore(data: DataView): Halves {
  const length = data.byteLength;
  const acc = [
    PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1,
  ];
  // All stripes but the last, which is the last 64 bytes, also where they overlap with others.
  const stripes = Math.floor((length - 1) / STRIPE);
  for (let n = 0; n < stripes; n++) {
    const inBlock = n % STRIPES_IN_A_BLOCK;
    // The last block is not scrambled, even if it is full.
    if (n > 0 && inBlock === 0) scramble(acc);
    accumulate(acc, data, STRIPE * n, 8 * inBlock);
  }
  if (stripes % STRIPES_IN_A_BLOCK === 0) scramble(acc);
  accumulate(acc, data, length - STRIPE, SECRET.byteLength - 71);
  const size = BigInt(length);
  return {
    low: merged(acc, u64(size * PRIME64_1), 11),
    high: merged(acc, u64(~(size * PRIME64_2)), SECRET.byteLength - 75),
  };
}

function accumulate(acc: bigint[], data: DataView, at: number, secretAt: number): void {
  for (let i = 0; i < 8; i++) {
    const lane = word(data, at + 8 * i);
    const value = lane ^ secret(secretAt + 8 * i);
    acc[i ^ 1] = u64(acc[i ^ 1]! + lane);
    acc[i] = u64(acc[i]! + (value & 0xffffffffn) * (value >> 32n));
  }
}

function scramble(acc: bigint[]): void {
  for (let i = 0; i < 8; i++) {
    const mixed = acc[i]! ^ (acc[i]! >> 47n) ^ secret(SECRET.byteLength - STRIPE + 8 * i);
    acc[i] = u64(mixed * PRIME32_1);
  }
}

function merged(acc: readonly bigint[], start: bigint, secretAt: number): bigint {
  let result = start;
  for (let i = 0; i < 8; i += 2) {
    const at = secretAt + 8 * i;
    result += folded(acc[i]! ^ secret(at), acc[i + 1]! ^ secret(at + 8));
  }
  return avalanche(u64(result));
}

/** The halves of the 128-bit product, one xor the other. */
function folded(a: bigint, b: bigint): bigint {
  const product = a * b;
  return u64(product) ^ (product >> 64n);
}

function avalanche(x: bigint): bigint {
  const mixed = u64((x ^ (x >> 37n)) * PRIME_MX1);
  return mixed ^ (mixed >> 32n);
}

function avalanche64(x: bigint): bigint {
  let mixed = u64((x ^ (x >> 33n)) * PRIME64_2);
  mixed = u64((mixed ^ (mixed >> 29n)) * PRIME64_3);
  return mixed ^ (mixed >> 32n);
}

function u64(x: bigint): bigint {
  return BigInt.asUintN(64, x);
}

function word(data: DataView, at: number): bigint {
  return data.getBigUint64(at, true);
}

function secret(at: number): bigint {
  return SECRET.getBigUint64(at, true);
}

function secret32(at: number): bigint {
  return BigInt(SECRET.getUint32(at, true));
}

function swap32(x: bigint): bigint {
  return swap64(x) >> 32n;
}

function swap64(x: bigint): bigint {
  let swapped = 0n;
  for (let rest = x, i = 0; i < 8; i++, rest >>= 8n) swapped = (swapped << 8n) | (rest & 0xffn);
  return swapped;
}

function bytesOf(hex: string): DataView {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return new DataView(bytes.buffer);
}
