/** The initializers and their parameters (section 4), named as in docs/numerics.md. */

import { ArgumentError, require } from "./errors.js";

export type FanMode = "fan_in" | "fan_out" | "fan_avg" | "fan_geo_avg";
export type Distribution = "uniform" | "truncated_normal" | "untruncated_normal";
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leaky_relu" | "selu";
export type StftSide = "real" | "imag";
export type StftScaling = "density" | "spectrum" | "none";
export type StftWindow =
  | "none"
  | "boxcar"
  | "hann"
  | "hamming"
  | "blackman"
  | "nuttall"
  | "blackmanharris"
  | "flattop"
  | "bartlett"
  | "triang"
  | "cosine"
  | "barthann"
  | "bohman"
  | "parzen"
  | "lanczos";

interface Kaiming {
  readonly a: number;
  readonly mode: "fan_in" | "fan_out";
  readonly nonlinearity: Nonlinearity;
}

/** The parameters of each initializer. */
export interface Parameters {
  zeros: object;
  ones: object;
  /** A bigint is an exact integer, a number a float64. */
  constant: { readonly value: number | bigint };
  identity: { readonly gain: number };
  dirac: { readonly groups: number };
  stft: {
    readonly side: StftSide;
    readonly window: StftWindow;
    readonly scaling: StftScaling;
    readonly periodic: boolean;
  };
  random_uniform: { readonly minval: number; readonly maxval: number };
  random_normal: { readonly mean: number; readonly stddev: number };
  truncated_normal: {
    readonly mean: number;
    readonly stddev: number;
    readonly lower: number;
    readonly upper: number;
  };
  variance_scaling: {
    readonly scale: number;
    readonly mode: FanMode;
    readonly distribution: Distribution;
    readonly lower: number;
    readonly upper: number;
  };
  glorot_uniform: object;
  glorot_normal: object;
  he_uniform: object;
  he_normal: object;
  lecun_uniform: object;
  lecun_normal: object;
  xavier_uniform: { readonly gain: number };
  xavier_normal: { readonly gain: number };
  kaiming_uniform: Kaiming;
  kaiming_normal: Kaiming;
  orthogonal: { readonly gain: number; readonly blocks: number; readonly block_axis: number };
  delta_orthogonal: { readonly gain: number };
  sparse: { readonly sparsity: number; readonly stddev: number; readonly axis: number };
}

export type Kind = keyof Parameters;

/** An initializer with all of its parameters. */
export type Resolved = { [K in Kind]: { readonly kind: K } & Parameters[K] }[Kind];

/** Parameters that no default stands for. */
type Required = { sparse: "sparsity" };

/** An initializer as it is asked for: its kind, and the parameters that are not the default. */
export type Initializer = {
  [K in Kind]: { readonly kind: K } & Partial<Parameters[K]> &
    (K extends keyof Required ? Pick<Parameters[K], Required[K] & keyof Parameters[K]> : object);
}[Kind];

type Value = number | bigint | string | boolean;

/** A parameter's default, and what it may be. */
export interface Parameter {
  /** Absent if the parameter must be given. */
  readonly default?: Value;
  /** The choices of a parameter that is a word. */
  readonly choices?: readonly string[];
  /** "must be ...". */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
}

const finite = (n: unknown): n is number => typeof n === "number" && Number.isFinite(n);

function number(
  standard: number,
  allowed = "must be finite",
  accepts: (n: number) => boolean = Number.isFinite,
): Parameter {
  return { default: standard, allowed, accepts: (n) => typeof n === "number" && accepts(n) };
}

function notNegative(standard: number): Parameter {
  return number(standard, "must be finite and 0 or more", (n) => finite(n) && n >= 0);
}

function choice(standard: string, ...others: string[]): Parameter {
  const choices = [standard, ...others];
  return {
    default: standard,
    choices,
    allowed: `must be one of ${choices.join(", ")}`,
    accepts: (word) => typeof word === "string" && choices.includes(word),
  };
}

const COUNT = number(1, "must be an integer of 1 or more", (n) => Number.isSafeInteger(n) && n > 0);
const GAIN = number(1);
const LOWER = number(-2, "must be at most 4", (n) => n <= 4);
const UPPER = number(2, "must be -4 or more", (n) => n >= -4);
const KAIMING = {
  a: number(0, "must be finite, and its square, too", (a) => finite(a * a)),
  mode: choice("fan_in", "fan_out"),
  nonlinearity: choice("leaky_relu", "linear", "sigmoid", "tanh", "relu", "selu"),
};

/** What each initializer takes. */
export const PARAMETERS: Readonly<Record<Kind, Readonly<Record<string, Parameter>>>> = {
  zeros: {},
  ones: {},
  constant: {
    value: {
      default: 0,
      allowed: "must be finite, a bigint from -2**63 to 2**64 - 1",
      accepts: (n) =>
        typeof n === "bigint" ? n >= -(2n ** 63n) && n < 2n ** 64n : Number.isFinite(n),
    },
  },
  identity: { gain: GAIN },
  dirac: { groups: COUNT },
  stft: {
    side: choice("real", "imag"),
    window: choice(
      "hann",
      ...["none", "boxcar", "hamming", "blackman", "nuttall", "blackmanharris", "flattop"],
      ...["bartlett", "triang", "cosine", "barthann", "bohman", "parzen", "lanczos"],
    ),
    scaling: choice("density", "spectrum", "none"),
    periodic: {
      default: false,
      allowed: "must be true or false",
      accepts: (flag) => typeof flag === "boolean",
    },
  },
  random_uniform: { minval: number(-0.05), maxval: number(0.05) },
  random_normal: { mean: number(0), stddev: notNegative(0.05) },
  truncated_normal: { mean: number(0), stddev: notNegative(0.05), lower: LOWER, upper: UPPER },
  variance_scaling: {
    scale: number(1, "must be finite and positive", (n) => finite(n) && n > 0),
    mode: choice("fan_in", "fan_out", "fan_avg", "fan_geo_avg"),
    distribution: choice("truncated_normal", "uniform", "untruncated_normal"),
    lower: LOWER,
    upper: UPPER,
  },
  glorot_uniform: {},
  glorot_normal: {},
  he_uniform: {},
  he_normal: {},
  lecun_uniform: {},
  lecun_normal: {},
  xavier_uniform: { gain: notNegative(1) },
  xavier_normal: { gain: notNegative(1) },
  kaiming_uniform: KAIMING,
  kaiming_normal: KAIMING,
  orthogonal: {
    gain: GAIN,
    blocks: COUNT,
    block_axis: number(-1, "must be an integer", Number.isSafeInteger),
  },
  delta_orthogonal: { gain: GAIN },
  sparse: {
    sparsity: {
      allowed: "must be from 0 to 1",
      accepts: (n) => typeof n === "number" && n >= 0 && n <= 1,
    },
    stddev: notNegative(0.01),
    axis: number(0, "must be 0, 1, -1 or -2", (n) => [0, 1, -1, -2].includes(n)),
  },
};

export const INITIALIZERS = Object.keys(PARAMETERS) as readonly Kind[];

/** The initializer with its defaults, each parameter checked by itself and with the others. */
export function resolved(initializer: Initializer): Resolved {
  const { kind, ...given } = initializer;
  const isKnown = Object.hasOwn(PARAMETERS, kind);
  require(isKnown, "initializer.kind", `must be one of ${INITIALIZERS.join(", ")}`, kind);
  const parameters = PARAMETERS[kind];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(parameters, name)) continue;
    const names = Object.keys(parameters);
    const allowed = `takes ${names.length > 0 ? names.join(", ") : "no parameters"}`;
    throw new ArgumentError(kind, allowed, name);
  }
  const values: Record<string, unknown> = { kind };
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = (given as Record<string, unknown>)[name] ?? parameter.default;
    require(parameter.accepts(value), name, parameter.allowed, value);
    values[name] = value;
  }
  const complete = values as unknown as Resolved;
  checkTogether(complete);
  return complete;
}

function checkTogether(initializer: Resolved): void {
  switch (initializer.kind) {
    case "random_uniform": {
      const { minval, maxval } = initializer;
      require(minval <= maxval, "maxval", `must be minval=${minval} or more`, maxval);
      break;
    }
    case "truncated_normal":
      checkBounds(initializer);
      break;
    case "variance_scaling": {
      checkBounds(initializer);
      const { distribution, lower, upper } = initializer;
      const isDefault = lower === -2 && upper === 2;
      require(
        isDefault || distribution === "truncated_normal",
        "lower and upper",
        `must be -2 and 2 for distribution=${distribution}`,
        [lower, upper],
      );
      break;
    }
  }
}

function checkBounds({ lower, upper }: { readonly lower: number; readonly upper: number }): void {
  require(lower < upper, "upper", `must be more than lower=${lower}`, upper);
}
