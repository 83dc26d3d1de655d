/** The numerics contract `seedbed-1`: tensors that are the same bits everywhere. */

export { describe, type Description, type Fixed, type OnSphere } from "./description.js";
export { digest, hexadecimal, type DigestAlgorithm } from "./digest.js";
export { DTYPES, type Dtype, type FloatDtype, type IntegerDtype } from "./dtypes.js";
export { ArgumentError } from "./errors.js";
export { fans, type FanAxes, type Fans } from "./fans.js";
export {
  INITIALIZERS,
  PARAMETERS,
  type Distribution,
  type FanMode,
  type Initializer,
  type Kind,
  type Nonlinearity,
  type Parameter,
  type Parameters,
  type StftScaling,
  type StftSide,
  type StftWindow,
} from "./initializers.js";
export type { Normal } from "./normal.js";
export { numbers, sample, type Tensor } from "./sampling.js";
export type { Shape, Slice } from "./shapes.js";
export type { TensorRequest } from "./tensors.js";
export type { Uniform } from "./uniform.js";
