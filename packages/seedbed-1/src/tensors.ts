/** Tensors as they are asked for, and requests with every value checked. */

import { dtypeInfo, type Dtype } from "./dtypes.js";
import { require } from "./errors.js";
import { axesOf, type FanAxes } from "./fans.js";
import { resolved, type Initializer, type Resolved } from "./initializers.js";
import { nameBytes } from "./key.js";
import { checkShape, checkSlice, wholeSlice, type Shape, type Slice } from "./shapes.js";

/** All that a tensor's content depends on, and the part of it that is wanted. */
export interface TensorRequest {
  /** At most 1,024 bytes in UTF-8; empty if absent. */
  readonly name?: string;
  /** The length of every axis of the whole tensor; `[]` is a scalar. */
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly initializer: Initializer;
  /** From -2**63 to 2**64 - 1; a number must be a safe integer. 0 if absent. */
  readonly seed?: number | bigint;
  /** From 0 to 2**64 - 1. 0 if absent. */
  readonly draw?: number | bigint;
  /** For fans, matrices and kernels. If absent, the last axis is out, the one before it in. */
  readonly fanAxes?: FanAxes;
  /** The whole tensor if absent. */
  readonly slice?: Slice;
}

/** A request whose values are complete and within their limits. */
export interface Checked {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly initializer: Resolved;
  readonly seed: bigint;
  readonly draw: bigint;
  readonly fanAxes: FanAxes | undefined;
  readonly slice: Slice;
}

export function checked(request: TensorRequest): Checked {
  const { name = "", shape, dtype, seed = 0, draw = 0, fanAxes } = request;
  require(typeof name === "string", "name", "must be text", name);
  nameBytes(name);
  checkShape(shape);
  dtypeInfo(dtype);
  axesOf(shape, fanAxes);
  const slice = request.slice ?? wholeSlice(shape);
  checkSlice(slice, shape);
  return {
    ...{ name, shape, dtype, fanAxes, slice },
    initializer: resolved(request.initializer),
    seed: integer("seed", seed, -(2n ** 63n), "-2**63"),
    draw: integer("draw", draw, 0n, "0"),
  };
}

function integer(
  argument: string,
  value: number | bigint,
  least: bigint,
  leastShown: string,
): bigint {
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  const allowed = `must be an integer from ${leastShown} to 2**64 - 1, a bigint if beyond 2**53`;
  require(isInteger, argument, allowed, value);
  const exact = BigInt(value);
  require(exact >= least && exact < 2n ** 64n, argument, allowed, value);
  return exact;
}
