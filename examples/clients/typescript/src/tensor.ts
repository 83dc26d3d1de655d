// Verified bytes of one tensor.

import {
  DigestAlgorithm,
  DigestAlgorithmSchema,
} from "../build/generated/seedbed/v1/tensors_pb.js";
import { hashOf, hex } from "./hash.js";

export interface Tensor {
  readonly index: number;
  /** All that was asked for, or the rest after a resume point. */
  readonly bytes: Uint8Array;
}

/** The algorithm of the digests of a request: its own, or what absence means. */
export function algorithmOf(request: { digestAlgorithm?: DigestAlgorithm }): DigestAlgorithm {
  return request.digestAlgorithm ?? DigestAlgorithm.XXH3_128;
}

export function algorithmName(algorithm: DigestAlgorithm): string {
  return DigestAlgorithmSchema.value[algorithm]?.name ?? String(algorithm);
}

export function tensorToJson(tensor: Tensor, algorithm: DigestAlgorithm): object {
  return {
    tensor_index: tensor.index,
    size_bytes: tensor.bytes.length,
    algorithm: algorithmName(algorithm),
    digest: hex(hashOf(algorithm, tensor.bytes)),
    first_bytes: hex(tensor.bytes.subarray(0, 16)),
  };
}
