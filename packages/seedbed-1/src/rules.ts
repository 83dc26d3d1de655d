/** From an initializer of independent numbers to its distribution (section 4). */

import { fans, type Fans } from "./fans.js";
import type { FanMode, Nonlinearity, Parameters } from "./initializers.js";
import type { Normal } from "./normal.js";
import type { Checked } from "./tensors.js";
import { momentsOf } from "./truncation.js";
import type { Uniform } from "./uniform.js";

/** How every element of a tensor is distributed, each independent of the others. */
export type Rule = Uniform | Normal;

type VarianceScaling = Parameters["variance_scaling"];

/** The rule, or undefined for initializers that have none. */
export function ruleOf({ initializer, shape, fanAxes }: Checked): Rule | undefined {
  const sizes = fans(shape, fanAxes);
  switch (initializer.kind) {
    case "random_uniform":
      return { ...initializer, kind: "uniform" };
    case "random_normal":
      return untruncated(initializer.stddev, initializer.mean);
    case "truncated_normal":
      return { ...initializer, kind: "normal" };
    case "variance_scaling":
      return varianceScaling(sizes, initializer);
    case "glorot_uniform":
      return varianceScaling(sizes, named(1, "fan_avg", "uniform"));
    case "glorot_normal":
      return varianceScaling(sizes, named(1, "fan_avg", "truncated_normal"));
    case "he_uniform":
      return varianceScaling(sizes, named(2, "fan_in", "uniform"));
    case "he_normal":
      return varianceScaling(sizes, named(2, "fan_in", "truncated_normal"));
    case "lecun_uniform":
      return varianceScaling(sizes, named(1, "fan_in", "uniform"));
    case "lecun_normal":
      return varianceScaling(sizes, named(1, "fan_in", "truncated_normal"));
    case "xavier_uniform":
      return symmetric(Math.sqrt(3) * xavier(sizes, initializer.gain));
    case "xavier_normal":
      return untruncated(xavier(sizes, initializer.gain));
    case "kaiming_uniform":
      return symmetric(Math.sqrt(3) * kaiming(sizes, initializer));
    case "kaiming_normal":
      return untruncated(kaiming(sizes, initializer));
    default:
      return undefined;
  }
}

export function untruncated(stddev: number, mean = 0): Normal {
  return { kind: "normal", mean, stddev, lower: -Infinity, upper: Infinity };
}

function symmetric(limit: number): Uniform {
  return { kind: "uniform", minval: -limit, maxval: limit };
}

function named(
  scale: number,
  mode: FanMode,
  distribution: VarianceScaling["distribution"],
): VarianceScaling {
  return { scale, mode, distribution, lower: -2, upper: 2 };
}

function varianceScaling(sizes: Fans, parameters: VarianceScaling): Rule {
  const { scale, mode, distribution, lower, upper } = parameters;
  const variance = scale / Math.max(1, fanOf(sizes, mode));
  switch (distribution) {
    case "uniform":
      return symmetric(Math.sqrt(3 * variance));
    case "untruncated_normal":
      return untruncated(Math.sqrt(variance));
    case "truncated_normal": {
      const left = momentsOf({ lower, upper }).stddev;
      return { kind: "normal", mean: 0, stddev: Math.sqrt(variance) / left, lower, upper };
    }
  }
}

function fanOf({ fanIn, fanOut }: Fans, mode: FanMode): number {
  switch (mode) {
    case "fan_in":
      return fanIn;
    case "fan_out":
      return fanOut;
    case "fan_avg":
      return (fanIn + fanOut) / 2;
    case "fan_geo_avg":
      return Math.sqrt(fanIn * fanOut);
  }
}

function xavier({ fanIn, fanOut }: Fans, gain: number): number {
  return gain * Math.sqrt(2 / Math.max(1, fanIn + fanOut));
}

function kaiming(sizes: Fans, { a, mode, nonlinearity }: Parameters["kaiming_normal"]): number {
  return gainOf(nonlinearity, a) / Math.sqrt(Math.max(1, fanOf(sizes, mode)));
}

function gainOf(nonlinearity: Nonlinearity, a: number): number {
  switch (nonlinearity) {
    case "linear":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.sqrt(2);
    case "leaky_relu":
      return Math.sqrt(2 / (1 + a * a));
    case "selu":
      return 0.75;
  }
}
