package seedbed.example;

import java.util.HexFormat;

/** Prints XXH3-64 and XXH3-128 of the first bytes of a pattern: of none, of one, of two, ... */
final class HashLines {
  public static void main(String[] arguments) {
    int count = Integer.parseInt(arguments[0]);
    byte[] pattern = new byte[count];
    for (int place = 0; place < count; place++) {
      pattern[place] = (byte) (place * 2_654_435_761L >> 13);
    }
    for (int size = 0; size < count; size++) {
      Xxh3 hash = inPieces(pattern, size);
      System.out.printf(
          "%016x %s%n", hash.value64(), HexFormat.of().formatHex(hash.value()));
    }
  }

  /** Hashes in pieces of many sizes, and asks for values in between, as streams do. */
  private static Xxh3 inPieces(byte[] pattern, int size) {
    Xxh3 hash = new Xxh3();
    for (int start = 0; start < size; ) {
      int piece = Math.min(size - start, 1 + (7 * start + size) % 97);
      hash.update(pattern, start, piece);
      start += piece;
      if (start % 5 == 0) {
        hash.value();
      }
    }
    return hash;
  }
}
