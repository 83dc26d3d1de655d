package seedbed.example;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * XXH3 with seed 0, streamed: 64 bits for checksums and request hashes, 128 bits for digests.
 *
 * <p>Written after the specification of xxHash (doc/xxhash_spec.md of Cyan4973/xxHash), whose names
 * it uses, because neither Java nor Debian has it. The tests compare it with libxxhash at every
 * length up to some blocks.
 */
final class Xxh3 implements Hash {
  private static final int STRIPE = 64;
  /** After so many stripes the accumulators are scrambled: (192 - 64) / 8 places of the secret. */
  private static final int BLOCK = 16 * STRIPE;

  private static final int LONGEST_SHORT_INPUT = 240;

  private static final long PRIME32_1 = 0x9E3779B1L;
  private static final long PRIME32_2 = 0x85EBCA77L;
  private static final long PRIME32_3 = 0xC2B2AE3DL;
  private static final long PRIME64_1 = 0x9E3779B185EBCA87L;
  private static final long PRIME64_2 = 0xC2B2AE3D27D4EB4FL;
  private static final long PRIME64_3 = 0x165667B19E3779F9L;
  private static final long PRIME64_4 = 0x85EBCA77C2B2AE63L;
  private static final long PRIME64_5 = 0x27D4EB2F165667C5L;
  private static final long PRIME_MX1 = 0x165667919E3779F9L;
  private static final long PRIME_MX2 = 0x9FB21C651E98DF25L;

  private static final byte[] SECRET =
      HexFormat.of()
          .parseHex(
              "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
                  + "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
                  + "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
                  + "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
                  + "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
                  + "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e");
  /** Where in the secret the last 64 bytes begin. */
  private static final int SECRET_END = SECRET.length - STRIPE;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  // The secret as numbers for each stripe of a block. Where the loops over stripes and lanes read
  // it from its bytes, OpenJDK 17.0.15's C2 compiles them, now and then, to something wrong.
  private static final long[][] BLOCK_KEYS = new long[16][];

  static {
    for (int stripe = 0; stripe < 16; stripe++) {
      BLOCK_KEYS[stripe] = keys(8 * stripe);
    }
  }

  private static final long[] SCRAMBLE_KEYS = keys(SECRET_END);
  private static final long[] LAST_KEYS = keys(SECRET_END - 7);

  private static long[] keys(int secretAt) {
    long[] keys = new long[8];
    for (int lane = 0; lane < 8; lane++) {
      keys[lane] = read(SECRET, secretAt + 8 * lane);
    }
    return keys;
  }

  private final long[] accumulators = {
    PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1
  };

  /**
   * The bytes that are not accumulated yet, behind the stripe before them: a value always needs the
   * last 64 bytes of the input, also where fewer have come since the last block.
   */
  private final byte[] buffer = new byte[STRIPE + BLOCK];

  private int buffered = 0;
  private long length = 0;

  static long hash64(byte[] input, int size) {
    Xxh3 hash = new Xxh3();
    hash.update(input, 0, size);
    return hash.value64();
  }

  @Override
  public void update(byte[] input, int start, int size) {
    length += size;
    for (int end = start + size; start < end; ) {
      // A full block waits until more comes: the input's last stripe is accumulated otherwise.
      if (buffered == BLOCK) {
        accumulate(accumulators, BLOCK / STRIPE);
        scramble(accumulators);
        System.arraycopy(buffer, BLOCK, buffer, 0, STRIPE);
        buffered = 0;
      }
      int taken = Math.min(BLOCK - buffered, end - start);
      System.arraycopy(input, start, buffer, STRIPE + buffered, taken);
      buffered += taken;
      start += taken;
    }
  }

  /** Returns the 16 bytes of XXH3-128 in their canonical, big-endian form. */
  @Override
  public byte[] value() {
    long[] lowAndHigh = length <= LONGEST_SHORT_INPUT ? short128() : long128();
    return ByteBuffer.allocate(16).putLong(lowAndHigh[1]).putLong(lowAndHigh[0]).array();
  }

  long value64() {
    if (length <= LONGEST_SHORT_INPUT) {
      return short64();
    }
    return merge(converge(), 11, length * PRIME64_1);
  }

  private long[] long128() {
    long[] state = converge();
    return new long[] {
      merge(state, 11, length * PRIME64_1), merge(state, SECRET_END - 11, ~(length * PRIME64_2))
    };
  }

  /** Returns the accumulators with all that is buffered, and leaves the state as it is. */
  private long[] converge() {
    long[] state = accumulators.clone();
    accumulate(state, (buffered - 1) / STRIPE);
    accumulate(state, buffer, buffered, LAST_KEYS);
    return state;
  }

  private void accumulate(long[] state, int stripes) {
    for (int stripe = 0; stripe < stripes; stripe++) {
      accumulate(state, buffer, STRIPE + stripe * STRIPE, BLOCK_KEYS[stripe]);
    }
  }

  private static void accumulate(long[] state, byte[] input, int at, long[] keys) {
    for (int lane = 0; lane < 8; lane += 2) {
      long even = read(input, at + 8 * lane);
      long odd = read(input, at + 8 * lane + 8);
      state[lane] += odd + multiplyHalves(even ^ keys[lane]);
      state[lane + 1] += even + multiplyHalves(odd ^ keys[lane + 1]);
    }
  }

  private static long multiplyHalves(long key) {
    return (key & 0xFFFFFFFFL) * (key >>> 32);
  }

  private static void scramble(long[] state) {
    for (int lane = 0; lane < 8; lane++) {
      long value = state[lane] ^ state[lane] >>> 47 ^ SCRAMBLE_KEYS[lane];
      state[lane] = value * PRIME32_1;
    }
  }

  private static long merge(long[] state, int secretAt, long start) {
    long result = start;
    for (int pair = 0; pair < 4; pair++) {
      long low = state[2 * pair] ^ read(SECRET, secretAt + 16 * pair);
      long high = state[2 * pair + 1] ^ read(SECRET, secretAt + 16 * pair + 8);
      result += fold(low, high);
    }
    return avalanche(result);
  }

  private long short64() {
    byte[] in = Arrays.copyOfRange(buffer, STRIPE, STRIPE + buffered);
    int size = in.length;
    if (size == 0) {
      return avalanche64(flip(56));
    }
    if (size <= 3) {
      return avalanche64(threeBytes(in) ^ flip32(0));
    }
    if (size <= 8) {
      long keyed = (readInt(in, size - 4) + (readInt(in, 0) << 32)) ^ flip(8);
      keyed ^= Long.rotateLeft(keyed, 49) ^ Long.rotateLeft(keyed, 24);
      keyed *= PRIME_MX2;
      keyed ^= (keyed >>> 35) + size;
      keyed *= PRIME_MX2;
      return keyed ^ keyed >>> 28;
    }
    if (size <= 16) {
      long low = read(in, 0) ^ flip(24);
      long high = read(in, size - 8) ^ flip(40);
      return avalanche(size + Long.reverseBytes(low) + high + fold(low, high));
    }
    long sum = size * PRIME64_1;
    if (size <= 128) {
      for (int pair = (size - 1) / 32; pair >= 0; pair--) {
        sum += mix16(in, 16 * pair, 32 * pair);
        sum += mix16(in, size - 16 * (pair + 1), 32 * pair + 16);
      }
      return avalanche(sum);
    }
    for (int round = 0; round < 8; round++) {
      sum += mix16(in, 16 * round, 16 * round);
    }
    sum = avalanche(sum);
    for (int round = 8; round < size / 16; round++) {
      sum += mix16(in, 16 * round, 16 * (round - 8) + 3);
    }
    return avalanche(sum + mix16(in, size - 16, 136 - 17));
  }

  private long[] short128() {
    byte[] in = Arrays.copyOfRange(buffer, STRIPE, STRIPE + buffered);
    int size = in.length;
    if (size == 0) {
      return new long[] {avalanche64(flip(64)), avalanche64(flip(80))};
    }
    if (size <= 3) {
      int low = (int) threeBytes(in);
      long high = Integer.rotateLeft(Integer.reverseBytes(low), 13) & 0xFFFFFFFFL;
      return new long[] {avalanche64(threeBytes(in) ^ flip32(0)), avalanche64(high ^ flip32(8))};
    }
    if (size <= 8) {
      long keyed = (readInt(in, 0) + (readInt(in, size - 4) << 32)) ^ flip(16);
      long factor = PRIME64_1 + (size << 2);
      long low = keyed * factor;
      long high = multiplyHigh(keyed, factor) + (low << 1);
      low ^= high >>> 3;
      low = (low ^ low >>> 35) * PRIME_MX2;
      return new long[] {low ^ low >>> 28, avalanche(high)};
    }
    if (size <= 16) {
      long inputHigh = read(in, size - 8);
      long keyed = read(in, 0) ^ inputHigh ^ flip(32);
      long low = keyed * PRIME64_1 + ((long) (size - 1) << 54);
      inputHigh ^= flip(48);
      long high = multiplyHigh(keyed, PRIME64_1);
      high += inputHigh + (inputHigh & 0xFFFFFFFFL) * (PRIME32_2 - 1);
      low ^= Long.reverseBytes(high);
      long top = multiplyHigh(low, PRIME64_2) + high * PRIME64_2;
      return new long[] {avalanche(low * PRIME64_2), avalanche(top)};
    }
    long[] sums = {size * PRIME64_1, 0};
    if (size <= 128) {
      for (int pair = (size - 1) / 32; pair >= 0; pair--) {
        mix32(sums, in, 16 * pair, size - 16 * (pair + 1), 32 * pair);
      }
      return finish(sums, size);
    }
    for (int round = 0; round < 4; round++) {
      mix32(sums, in, 32 * round, 32 * round + 16, 32 * round);
    }
    sums[0] = avalanche(sums[0]);
    sums[1] = avalanche(sums[1]);
    for (int round = 4; round < size / 32; round++) {
      mix32(sums, in, 32 * round, 32 * round + 16, 32 * (round - 4) + 3);
    }
    mix32(sums, in, size - 16, size - 32, 136 - 17 - 16);
    return finish(sums, size);
  }

  private static long[] finish(long[] sums, long size) {
    long high = sums[0] * PRIME64_1 + sums[1] * PRIME64_4 + size * PRIME64_2;
    return new long[] {avalanche(sums[0] + sums[1]), -avalanche(high)};
  }

  private static long threeBytes(byte[] in) {
    int first = in[0] & 0xFF;
    int middle = in[in.length >> 1] & 0xFF;
    int last = in[in.length - 1] & 0xFF;
    return (first << 16 | middle << 24 | last | in.length << 8) & 0xFFFFFFFFL;
  }

  private static long mix16(byte[] in, int at, int secretAt) {
    long low = read(in, at) ^ read(SECRET, secretAt);
    long high = read(in, at + 8) ^ read(SECRET, secretAt + 8);
    return fold(low, high);
  }

  private static void mix32(long[] sums, byte[] in, int one, int other, int secretAt) {
    sums[0] += mix16(in, one, secretAt);
    sums[0] ^= read(in, other) + read(in, other + 8);
    sums[1] += mix16(in, other, secretAt + 16);
    sums[1] ^= read(in, one) + read(in, one + 8);
  }

  private static long flip(int secretAt) {
    return read(SECRET, secretAt) ^ read(SECRET, secretAt + 8);
  }

  private static long flip32(int secretAt) {
    return readInt(SECRET, secretAt) ^ readInt(SECRET, secretAt + 4);
  }

  private static long avalanche(long value) {
    value = (value ^ value >>> 37) * PRIME_MX1;
    return value ^ value >>> 32;
  }

  /** The avalanche of XXH64, which the shortest inputs use. */
  private static long avalanche64(long value) {
    value = (value ^ value >>> 33) * PRIME64_2;
    value = (value ^ value >>> 29) * PRIME64_3;
    return value ^ value >>> 32;
  }

  private static long fold(long a, long b) {
    return a * b ^ multiplyHigh(a, b);
  }

  /** The upper half of the unsigned product; Java 18 has Math.unsignedMultiplyHigh. */
  private static long multiplyHigh(long a, long b) {
    return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
  }

  private static long read(byte[] bytes, int at) {
    return (long) LONG.get(bytes, at);
  }

  private static long readInt(byte[] bytes, int at) {
    return (int) INT.get(bytes, at) & 0xFFFFFFFFL;
  }
}
