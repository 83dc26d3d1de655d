/** Constants and the identity (section 5), and which numbers a dtype holds. */

import { dtypeInfo, type Dtype } from "./dtypes.js";
import type { Elements } from "./elements.js";
import { require } from "./errors.js";
import { axesOf } from "./fans.js";
import { Matrices, type Location } from "./matrices.js";
import type { Checked } from "./tensors.js";

/** `value` as elements of the dtype have it; throws if the dtype does not hold it. */
export function held(value: number | bigint, dtype: Dtype, argument: string): number | bigint {
  const info = dtypeInfo(dtype);
  if (info.kind === "integer") {
    const allowed = `must be an integer from ${info.least} to ${info.most} for dtype=${dtype}`;
    require(typeof value === "bigint" || Number.isInteger(value), argument, allowed, value);
    const exact = BigInt(value);
    require(exact >= info.least && exact <= info.most, argument, allowed, value);
    return exact;
  }
  const real = Number(value);
  const size = Math.abs(dtype === "float64" ? real : Math.fround(real));
  const allowed = `must not be beyond ${info.largest}, the largest number of dtype=${dtype}`;
  require(size < info.overflow, argument, allowed, value);
  return real;
}

export function constant({ dtype }: Checked, value: number | bigint): Elements {
  const element = held(value, dtype, "value");
  return () => element;
}

export function identity({ shape, fanAxes, dtype }: Checked, gain: number): Elements {
  const { batch } = axesOf(shape, fanAxes);
  const isMatrix = shape.length - batch.length === 2;
  require(isMatrix, "shape", "must have two axes besides those of the batch", shape);
  const element = held(gain, dtype, "gain");
  const matrices = new Matrices(shape, { batch });
  const { columns } = matrices;
  const location: Location = { matrix: 0, place: 0 };
  return (index) => {
    matrices.locate(index, location);
    const column = location.place % columns;
    return (location.place - column) / columns === column ? element : 0;
  };
}
