// Streaming hashes whose value can be asked for at any time.

import { createHash } from "node:crypto";
import { createXXHash128, createXXHash3, type IHasher } from "hash-wasm";
import { DigestAlgorithm } from "../build/generated/seedbed/v1/tensors_pb.js";

// WebAssembly is compiled once; a hash in progress is a state that is saved and loaded.
const xxh3 = await createXXHash3();
const xxh128 = await createXXHash128();

export interface Hash {
  update(data: Uint8Array): void;
  /** Returns the hash of all data so far. More may follow. */
  value(): Uint8Array;
}

export function newHash(algorithm: DigestAlgorithm): Hash {
  return algorithm === DigestAlgorithm.SHA256 ? new Sha256() : new Saved(xxh128);
}

export function hashOf(algorithm: DigestAlgorithm, data: Uint8Array): Uint8Array {
  const hash = newHash(algorithm);
  hash.update(data);
  return hash.value();
}

/** Returns the XXH3-64 of bytes as 16 hexadecimal digits. */
export function xxh3Hex(data: Uint8Array): string {
  return xxh3.init().update(data).digest();
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

class Saved implements Hash {
  readonly #hasher: IHasher;
  #state: Uint8Array;

  constructor(hasher: IHasher) {
    this.#hasher = hasher;
    this.#state = hasher.init().save();
  }

  update(data: Uint8Array): void {
    this.#state = this.#hasher.load(this.#state).update(data).save();
  }

  value(): Uint8Array {
    return this.#hasher.load(this.#state).digest("binary");
  }
}

class Sha256 implements Hash {
  readonly #hash = createHash("sha256");

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  value(): Uint8Array {
    return this.#hash.copy().digest();
  }
}
