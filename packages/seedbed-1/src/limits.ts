/** Refusal of dtypes that an initializer does not fill, and of numbers that could overflow. */

import { dtypeInfo, isDouble, LARGEST_FLOAT32, type Dtype } from "./dtypes.js";
import { require } from "./errors.js";
import type { Kind, Parameters, Resolved } from "./initializers.js";

const FILL_ANY_DTYPE: readonly Kind[] = ["zeros", "ones", "constant", "identity", "dirac"];

/** Farther from the mean than any normal number, in standard deviations. */
const FARTHEST = 11;

/** Throws if the dtype could not have the initializer's numbers. */
export function checkLimits(initializer: Resolved, dtype: Dtype): void {
  const { kind } = initializer;
  const info = dtypeInfo(dtype);
  if (FILL_ANY_DTYPE.includes(kind)) return;
  require(info.kind === "float", "dtype", `must be a floating one for ${kind}`, dtype);
  const { largest } = info;
  // Saturating dtypes cut off what is beyond their largest number, but not what overflows float32.
  const reach = info.saturates ? LARGEST_FLOAT32 : largest;
  const atMost = (most: number, argument: string, value: number): void =>
    require(value <= most, argument, `must be at most ${most} for dtype=${dtype}`, value);

  switch (initializer.kind) {
    case "random_uniform": {
      const { minval, maxval } = initializer;
      atMost(largest, "|minval|", Math.abs(minval));
      atMost(largest, "|maxval|", Math.abs(maxval));
      const width = isDouble(dtype) ? Number.MAX_VALUE : LARGEST_FLOAT32;
      atMost(width, "maxval - minval", maxval - minval);
      break;
    }
    case "random_normal":
    case "truncated_normal": {
      const mean = Math.abs(initializer.mean);
      atMost(largest, "|mean|", mean);
      const end = mean + FARTHEST * initializer.stddev;
      atMost(reach, `|mean| + ${FARTHEST} * stddev`, end);
      break;
    }
    case "variance_scaling":
      atMost(Number.MAX_VALUE, "3 * scale", 3 * initializer.scale);
      atMost(reach, "scale's farthest number", farOf(initializer) * Math.sqrt(initializer.scale));
      break;
    case "xavier_uniform":
    case "xavier_normal":
      atMost(reach, "16.5 * gain", 16.5 * initializer.gain);
      break;
    case "orthogonal":
    case "delta_orthogonal":
      atMost(largest, "2 * |gain|", 2 * Math.abs(initializer.gain));
      break;
    case "sparse":
      atMost(reach, `${FARTHEST} * stddev`, FARTHEST * initializer.stddev);
      break;
  }
}

/** How far out a number may be, in wanted standard deviations before the fans make them smaller. */
function farOf({ lower, upper }: Parameters["variance_scaling"]): number {
  if (lower === -2 && upper === 2) return 8;
  const farther = Math.max(Math.abs(lower), Math.abs(upper), 1);
  return (8 * Math.min(farther, FARTHEST)) / Math.min(upper - lower, 1);
}
