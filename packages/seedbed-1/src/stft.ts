/** Kernels of the short-time Fourier transform (section 5.1). */

import type { Elements } from "./elements.js";
import { require } from "./errors.js";
import type { Parameters } from "./initializers.js";
import { exactly, type Enclosure, type Reals } from "./reals.js";
import type { Checked } from "./tensors.js";
import { isZeroWindow, windowAt } from "./windows.js";

type Stft = Parameters["stft"];

const LONGEST = 2 ** 16;

export function stft({ shape }: Checked, parameters: Stft): Elements {
  const isKernel = shape.length === 3 && shape[1] === 1 && shape[2]! >= 2;
  require(isKernel, "shape", "must be [N, 1, B] with B of 2 or more", shape);
  const isSmall = shape.every((length) => length <= LONGEST);
  require(isSmall, "shape", `must have lengths of at most ${LONGEST}`, shape);
  const [length, , bins] = shape as readonly [number, number, number];
  const { window, scaling, periodic } = parameters;
  const isZero = isZeroWindow(window, length, periodic);
  const allowed = `must be none, as the whole window ${window} of length 2 is 0`;
  require(!isZero || scaling === "none", "scaling", allowed, scaling);

  const kernels = new Map<number, Kernel>();
  const kernelOf = (r: Reals): Kernel => {
    const kernel = kernels.get(r.bits) ?? new Kernel(r, length, bins, parameters);
    kernels.set(r.bits, kernel);
    return kernel;
  };
  return (index) => {
    const k = index % bins;
    const t = (index - k) / bins;
    return exactly((r) => kernelOf(r).at(t, k));
  };
}

/** The kernel in real numbers of one precision. */
class Kernel {
  readonly #frame: readonly Enclosure[];
  readonly #waves = new Map<number, Enclosure>();
  readonly #period: number;

  constructor(
    private readonly r: Reals,
    length: number,
    bins: number,
    private readonly parameters: Stft,
  ) {
    this.#period = 2 * (bins - 1);
    const { window, periodic } = parameters;
    const weights = Array.from({ length }, (_, t) => windowAt(r, window, t, length, periodic));
    const divisor = divisorOf(r, weights, parameters);
    this.#frame = weights.map((weight) => r.divide(weight, divisor));
  }

  at(t: number, k: number): Enclosure {
    return this.r.multiply(this.#wave((t * k) % this.#period), this.#frame[t]!);
  }

  #wave(step: number): Enclosure {
    let wave = this.#waves.get(step);
    if (wave === undefined) {
      const { r } = this;
      wave =
        this.parameters.side === "real"
          ? r.cosineOfTurns(step, this.#period)
          : r.negative(r.sineOfTurns(step, this.#period));
      this.#waves.set(step, wave);
    }
    return wave;
  }
}

function divisorOf(
  r: Reals,
  weights: readonly Enclosure[],
  { window, scaling }: Stft,
): Enclosure {
  if (window === "none" || scaling === "none") return r.integer(1);
  const sum = (terms: readonly Enclosure[]): Enclosure =>
    terms.reduce((total, term) => r.add(total, term), r.integer(0));
  return scaling === "density"
    ? r.squareRoot(sum(weights.map((weight) => r.multiply(weight, weight))))
    : sum(weights.map((weight) => r.absolute(weight)));
}
