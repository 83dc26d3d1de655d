/** Digests of bytes, in hexadecimal. */

import { ArgumentError } from "./errors.js";
import { sha256 } from "./sha256.js";
import { xxh3_128 } from "./xxh3.js";

export type DigestAlgorithm = "xxh3_128" | "sha256";

/** The digest of a tensor's or slice's bytes (section 10). */
export function digest(bytes: Uint8Array, algorithm: DigestAlgorithm = "xxh3_128"): string {
  switch (algorithm) {
    case "xxh3_128":
      return hexadecimal(xxh3_128(bytes));
    case "sha256":
      return hexadecimal(sha256(bytes));
    default:
      throw new ArgumentError("algorithm", "must be xxh3_128 or sha256", algorithm);
  }
}

export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
