/** How a tensor's elements are distributed, exactly, without sampling them. */

import { convolutionAxes } from "./convolution.js";
import { fans, type Fans } from "./fans.js";
import { deltaMatrices, orthogonalMatrices } from "./orthogonal.js";
import type { Normal } from "./normal.js";
import { ruleOf, untruncated, type Rule } from "./rules.js";
import { elementsOf } from "./sampling.js";
import { elementCount } from "./shapes.js";
import { zerosOfLine } from "./sparse.js";
import { checked, type Checked, type TensorRequest } from "./tensors.js";
import { momentsOf } from "./truncation.js";
import type { Uniform } from "./uniform.js";

/** An element of a line of `length` elements that is uniform on a sphere. */
export interface OnSphere {
  readonly kind: "orthogonal";
  /** The line's norm, but for its sign. */
  readonly gain: number;
  readonly length: number;
}

/** Nothing is random: `zeros`, `ones`, `constant`, `identity`, `dirac`, `stft`. */
export interface Fixed {
  readonly kind: "fixed";
}

export interface Description {
  readonly fans: Fans;
  readonly distribution: Uniform | Normal | OnSphere | Fixed;
  /** Of one element; of the ideal distribution, before any rounding to the dtype. */
  readonly mean?: number;
  readonly stddev?: number;
  /** The part of the elements that is 0 and not of the distribution. */
  readonly zeros: number;
}

/**
 * Fans and distribution of a whole tensor.
 *
 * @throws {ArgumentError} as `sample` does.
 */
export function describe(request: TensorRequest): Description {
  const spec = checked(request);
  elementsOf(spec);
  return { fans: fans(spec.shape, spec.fanAxes), ...distributionOf(spec) };
}

function distributionOf(spec: Checked): Omit<Description, "fans"> {
  const { initializer, shape } = spec;
  switch (initializer.kind) {
    case "sparse": {
      const { sparsity, stddev, axis } = initializer;
      const length = shape[axis < 0 ? axis + 2 : axis]!;
      const zeros = length === 0 ? 0 : zerosOfLine(length, sparsity) / length;
      return { ...ofRule(untruncated(stddev)), zeros };
    }
    case "orthogonal":
      return { ...onSphere(orthogonalMatrices(spec, initializer), initializer.gain), zeros: 0 };
    case "delta_orthogonal": {
      const places = convolutionAxes(spec).spatial.map((axis) => shape[axis]!);
      const zeros = 1 - 1 / Math.max(1, elementCount(places));
      return { ...onSphere(deltaMatrices(spec), initializer.gain), zeros };
    }
    default: {
      const rule = ruleOf(spec);
      return rule === undefined
        ? { distribution: { kind: "fixed" }, zeros: 0 }
        : { ...ofRule(rule), zeros: 0 };
    }
  }
}

function ofRule(rule: Rule): Omit<Description, "fans" | "zeros"> {
  if (rule.kind === "uniform") {
    const { minval, maxval } = rule;
    const mean = minval / 2 + maxval / 2;
    return { distribution: rule, mean, stddev: (maxval - minval) / Math.sqrt(12) };
  }
  const standard = momentsOf(rule);
  const mean = rule.mean + rule.stddev * standard.mean;
  return { distribution: rule, mean, stddev: rule.stddev * standard.stddev };
}

function onSphere(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  gain: number,
): Omit<Description, "fans" | "zeros"> {
  const length = Math.max(rows, columns);
  const stddev = Math.abs(gain) / Math.sqrt(Math.max(1, length));
  return { distribution: { kind: "orthogonal", gain, length }, mean: 0, stddev };
}
