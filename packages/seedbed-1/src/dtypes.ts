/** The types of elements: sizes, ranges, and the bytes of a number. */

import { require } from "./errors.js";
import {
  BFLOAT16,
  FLOAT16,
  FLOAT8_E4M3FN,
  FLOAT8_E5M2,
  narrowBits,
  narrowValue,
  type NarrowFloat,
} from "./narrow.js";

export type FloatDtype =
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "float8_e4m3fn"
  | "float8_e5m2";
export type IntegerDtype =
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64";
export type Dtype = FloatDtype | IntegerDtype | "bool";

interface Float {
  readonly kind: "float";
  readonly bytes: number;
  /** The largest finite number. */
  readonly largest: number;
  /** The least magnitude that a constant may not have: it rounds to infinity, or to NaN. */
  readonly overflow: number;
  readonly saturates: boolean;
}

interface Integer {
  readonly kind: "integer";
  readonly bytes: number;
  readonly least: bigint;
  readonly most: bigint;
}

interface Codec {
  readonly store: (view: DataView, at: number, value: number | bigint) => void;
  readonly load: (view: DataView, at: number) => number | bigint;
}

export type DtypeInfo = (Float | Integer) & Codec;

export const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

const TABLE: Readonly<Record<Dtype, DtypeInfo>> = {
  float16: narrow(2, FLOAT16, 65520, false),
  bfloat16: narrow(2, BFLOAT16, (2 - 2 ** -8) * 2 ** 127, false),
  float32: {
    ...{ kind: "float", bytes: 4, saturates: false },
    largest: LARGEST_FLOAT32,
    overflow: Infinity,
    store: (view, at, value) => view.setFloat32(at, Number(value), true),
    load: (view, at) => view.getFloat32(at, true),
  },
  float64: {
    ...{ kind: "float", bytes: 8, saturates: false },
    largest: Number.MAX_VALUE,
    overflow: Infinity,
    store: (view, at, value) => view.setFloat64(at, Number(value), true),
    load: (view, at) => view.getFloat64(at, true),
  },
  float8_e4m3fn: narrow(1, FLOAT8_E4M3FN, 464 + 2 ** -15, true),
  float8_e5m2: narrow(1, FLOAT8_E5M2, 61440, true),
  int8: integer(1, true),
  int16: integer(2, true),
  int32: integer(4, true),
  int64: integer(8, true),
  uint8: integer(1, false),
  uint16: integer(2, false),
  uint32: integer(4, false),
  uint64: integer(8, false),
  bool: { ...integer(1, false), most: 1n },
};

export const DTYPES = Object.keys(TABLE) as readonly Dtype[];

export function dtypeInfo(dtype: Dtype): DtypeInfo {
  require(Object.hasOwn(TABLE, dtype), "dtype", `must be one of ${DTYPES.join(", ")}`, dtype);
  return TABLE[dtype];
}

/** Whether random numbers of the dtype are computed in float64. */
export function isDouble(dtype: Dtype): boolean {
  return dtype === "float64";
}

function narrow(bytes: 1 | 2, type: NarrowFloat, overflow: number, saturates: boolean): DtypeInfo {
  const info = { kind: "float", bytes, largest: type.largest, overflow, saturates } as const;
  if (bytes === 1) {
    return {
      ...info,
      store: (view, at, value) => view.setUint8(at, narrowBits(Number(value), type)),
      load: (view, at) => narrowValue(view.getUint8(at), type),
    };
  }
  return {
    ...info,
    store: (view, at, value) => view.setUint16(at, narrowBits(Number(value), type), true),
    load: (view, at) => narrowValue(view.getUint16(at, true), type),
  };
}

function integer(bytes: 1 | 2 | 4 | 8, isSigned: boolean): DtypeInfo & Integer {
  const bits = BigInt(8 * bytes);
  const most = isSigned ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  const range = { kind: "integer", bytes, most, least: isSigned ? -most - 1n : 0n } as const;
  return { ...range, ...integerCodec(bytes, isSigned) };
}

function integerCodec(bytes: 1 | 2 | 4 | 8, isSigned: boolean): Codec {
  switch (bytes) {
    case 1:
      return {
        store: (view, at, value) => view.setUint8(at, Number(value)),
        load: (view, at) => (isSigned ? view.getInt8(at) : view.getUint8(at)),
      };
    case 2:
      return {
        store: (view, at, value) => view.setUint16(at, Number(value), true),
        load: (view, at) => (isSigned ? view.getInt16(at, true) : view.getUint16(at, true)),
      };
    case 4:
      return {
        store: (view, at, value) => view.setUint32(at, Number(value), true),
        load: (view, at) => (isSigned ? view.getInt32(at, true) : view.getUint32(at, true)),
      };
    case 8:
      return {
        store: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
        load: (view, at) => (isSigned ? view.getBigInt64(at, true) : view.getBigUint64(at, true)),
      };
  }
}
