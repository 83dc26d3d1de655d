/** Uniform numbers (section 6). */

import { nextBelow32, nextBelow64 } from "./bits.js";
import type { Elements } from "./elements.js";
import { fma32, fma64 } from "./fma.js";
import type { Words } from "./words.js";

export interface Uniform {
  readonly kind: "uniform";
  readonly minval: number;
  readonly maxval: number;
}

export function uniform32(words: Words, { minval, maxval }: Uniform): Elements {
  const width = Math.fround(maxval - minval);
  const low = Math.fround(minval);
  const below = nextBelow32(Math.fround(maxval));
  const ceiling = low >= below ? low : below;
  return (index) => {
    const unit = (words.word32(index) >>> 8) * 2 ** -24;
    const value = fma32(unit, width, low);
    return value < ceiling ? value : ceiling;
  };
}

export function uniform64(words: Words, { minval, maxval }: Uniform): Elements {
  const width = maxval - minval;
  const below = nextBelow64(maxval);
  const ceiling = minval >= below ? minval : below;
  return (index) => {
    const at = words.seek64(index);
    const unit = (words.lanes[at + 1]! * 2 ** 21 + (words.lanes[at]! >>> 11)) * 2 ** -53;
    const value = fma64(unit, width, minval);
    return value < ceiling ? value : ceiling;
  };
}
