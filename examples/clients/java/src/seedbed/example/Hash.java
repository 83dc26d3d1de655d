package seedbed.example;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import seedbed.v1.DigestAlgorithm;

/** A streaming hash whose value can be asked for at any time. */
interface Hash {
  void update(byte[] input, int start, int size);

  /** Returns the hash of all input so far. More may follow. */
  byte[] value();

  static Hash of(DigestAlgorithm algorithm) {
    return algorithm == DigestAlgorithm.DIGEST_ALGORITHM_SHA256 ? new Sha256() : new Xxh3();
  }

  static byte[] of(DigestAlgorithm algorithm, byte[] input) {
    Hash hash = of(algorithm);
    hash.update(input, 0, input.length);
    return hash.value();
  }

  /** Java's own SHA-256. */
  final class Sha256 implements Hash {
    private final MessageDigest digest;

    Sha256() {
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("every Java has SHA-256", e);
      }
    }

    @Override
    public void update(byte[] input, int start, int size) {
      digest.update(input, start, size);
    }

    @Override
    public byte[] value() {
      try {
        // A value ends the digest that it is taken from.
        return ((MessageDigest) digest.clone()).digest();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError("Java's own SHA-256 can be cloned", e);
      }
    }
  }
}
