/** The bits of floats as unsigned integers, and back. */

const view = new DataView(new ArrayBuffer(8));

export function float32Bits(x: number): number {
  view.setFloat32(0, x);
  return view.getUint32(0);
}

export function float32From(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

/** The upper 32 bits of a float64. */
export function float64High(x: number): number {
  view.setFloat64(0, x);
  return view.getUint32(0);
}

/** The lower 32 bits of a float64. */
export function float64Low(x: number): number {
  view.setFloat64(0, x);
  return view.getUint32(4);
}

export function float64From(high: number, low: number): number {
  view.setUint32(0, high);
  view.setUint32(4, low);
  return view.getFloat64(0);
}

export function float64Bits(x: number): bigint {
  view.setFloat64(0, x);
  return view.getBigUint64(0);
}

/** The largest float32 below a finite float32. */
export function nextBelow32(x: number): number {
  if (x === 0) return -(2 ** -149);
  return float32From(float32Bits(x) + (x > 0 ? -1 : 1));
}

/** The largest float64 below a finite float64. */
export function nextBelow64(x: number): number {
  if (x === 0) return -Number.MIN_VALUE;
  view.setBigUint64(0, float64Bits(x) + (x > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
