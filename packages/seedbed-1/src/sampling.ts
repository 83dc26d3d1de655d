/** Sampling: from a request to bytes. */

import { constant, identity } from "./constants.js";
import { dirac } from "./convolution.js";
import { dtypeInfo, isDouble, type Dtype } from "./dtypes.js";
import type { Elements } from "./elements.js";
import { require } from "./errors.js";
import { deriveKeys } from "./key.js";
import { checkLimits } from "./limits.js";
import { normal32, normal64 } from "./normal.js";
import { deltaMatrices, orthogonal, orthogonalMatrices } from "./orthogonal.js";
import { ruleOf, untruncated, type Rule } from "./rules.js";
import { elementCount, rowStarts, type Shape } from "./shapes.js";
import { sparse } from "./sparse.js";
import { stft } from "./stft.js";
import { checked, type Checked, type TensorRequest } from "./tensors.js";
import { uniform32, uniform64 } from "./uniform.js";
import { Words } from "./words.js";

/** Elements as bytes: little-endian, in C order. */
export interface Tensor {
  /** The slice's lengths, or the whole shape. */
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MAX_BYTES = 2 ** 32;

/**
 * The tensor, or the slice of it, that is asked for: the same bits everywhere.
 *
 * @throws {ArgumentError} that names the argument, what is allowed, and what came.
 */
export function sample(request: TensorRequest): Tensor {
  const spec = checked(request);
  const { dtype, shape, slice } = spec;
  const { bytes: size, store } = dtypeInfo(dtype);
  const total = elementCount(slice.lengths) * size;
  require(total <= MAX_BYTES, "slice", `must have at most ${MAX_BYTES} bytes`, total);
  const elements = elementsOf(spec);
  const view = new DataView(new ArrayBuffer(total));
  const rowLength = slice.lengths.at(-1) ?? 1;
  let at = 0;
  for (const first of rowStarts(slice, shape)) {
    for (let index = first; index < first + rowLength; index++, at += size) {
      store(view, at, elements(index));
    }
  }
  return { shape: slice.lengths, dtype, bytes: new Uint8Array(view.buffer) };
}

/** The elements as numbers, as bigints those of int64 and uint64. */
export function numbers({ dtype, bytes }: Tensor): (number | bigint)[] {
  const { bytes: size, load } = dtypeInfo(dtype);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / size }, (_, i) => load(view, i * size));
}

/** Throws unless the initializer fits the shape and the dtype. */
export function elementsOf(spec: Checked): Elements {
  const { initializer, dtype } = spec;
  checkLimits(initializer, dtype);
  const keys = deriveKeys(spec.seed, spec.draw, spec.name);
  const words = new Words(keys.values);
  switch (initializer.kind) {
    case "zeros":
      return constant(spec, 0);
    case "ones":
      return constant(spec, 1);
    case "constant":
      return constant(spec, initializer.value);
    case "identity":
      return identity(spec, initializer.gain);
    case "dirac":
      return dirac(spec, initializer.groups);
    case "stft":
      return stft(spec, initializer);
    case "orthogonal":
      return orthogonal(words, orthogonalMatrices(spec, initializer), initializer.gain);
    case "delta_orthogonal":
      return orthogonal(words, deltaMatrices(spec), initializer.gain);
    case "sparse": {
      const others = independent(words, untruncated(initializer.stddev), dtype);
      return sparse(spec, initializer, others, new Words(keys.places));
    }
    default:
      return independent(words, ruleOf(spec)!, dtype);
  }
}

function independent(words: Words, rule: Rule, dtype: Dtype): Elements {
  const isWide = isDouble(dtype);
  if (rule.kind === "uniform") return isWide ? uniform64(words, rule) : uniform32(words, rule);
  return isWide ? normal64(words, rule) : normal32(words, rule);
}
