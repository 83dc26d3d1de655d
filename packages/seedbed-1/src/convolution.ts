/** A convolution's axes (sections 5 and 9.5), and the kernel that passes its input on. */

import type { Elements } from "./elements.js";
import { require } from "./errors.js";
import { axesOf } from "./fans.js";
import { stridesOf } from "./shapes.js";
import type { Checked } from "./tensors.js";

export interface ConvolutionAxes {
  readonly input: number;
  readonly output: number;
  readonly spatial: readonly number[];
  readonly batch: readonly number[];
}

export function convolutionAxes({ shape, fanAxes }: Checked): ConvolutionAxes {
  const { inputs, outputs, batch } = axesOf(shape, fanAxes);
  const rank = shape.length - batch.length;
  const isKernel = rank >= 3 && rank <= 5;
  require(isKernel, "shape", "must have three to five axes besides those of the batch", shape);
  require(inputs.length === 1, "fanAxes.inAxis", "must have one axis", inputs);
  require(outputs.length === 1, "fanAxes.outAxis", "must have one axis", outputs);
  const others = new Set([...inputs, ...outputs, ...batch]);
  const spatial = shape.map((_, axis) => axis).filter((axis) => !others.has(axis));
  return { input: inputs[0]!, output: outputs[0]!, spatial, batch };
}

/** 1 at the centre where the output's number within its group is the input's, else 0. */
export function dirac(spec: Checked, groups: number): Elements {
  const { shape } = spec;
  const { input, output, spatial } = convolutionAxes(spec);
  const outputs = shape[output]!;
  const allowed = `must divide the ${outputs} outputs`;
  require(outputs % groups === 0, "groups", allowed, groups);
  const strides = stridesOf(shape);
  const at = (index: number, axis: number): number =>
    Math.floor(index / strides[axis]!) % shape[axis]!;
  return (index) => {
    const isCentre = spatial.every((axis) => at(index, axis) === Math.floor(shape[axis]! / 2));
    const isSame = at(index, output) % (outputs / groups) === at(index, input);
    return isCentre && isSame ? 1 : 0;
  };
}
