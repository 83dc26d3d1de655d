// Whether an answer is that of the request that was sent.

import { clone, fromJson, type JsonObject, mergeFromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type InitializerSpec,
  InitializerSpecSchema,
} from "../build/generated/seedbed/v1/initializers_pb.js";
import type { TensorHeader } from "../build/generated/seedbed/v1/streams_pb.js";
import {
  Dtype,
  type Numerics,
  type TensorRequest,
  TensorRequestSchema,
} from "../build/generated/seedbed/v1/tensors_pb.js";
import { check } from "./failure.js";

const KAIMING = { a: 0, mode: "FAN_MODE_FAN_IN", nonlinearity: "NONLINEARITY_LEAKY_RELU" };

// What the absence of optional fields means, as the schema's comments say.
const LEFT_OUT: JsonObject[] = [
  { constant: { real: 0 } },
  { random_uniform: { minval: -0.05, maxval: 0.05 } },
  { random_normal: { mean: 0, stddev: 0.05 } },
  { truncated_normal: { mean: 0, stddev: 0.05, lower: -2, upper: 2 } },
  {
    variance_scaling: {
      scale: 1,
      mode: "FAN_MODE_FAN_IN",
      distribution: "DISTRIBUTION_TRUNCATED_NORMAL",
      lower: -2,
      upper: 2,
    },
  },
  { identity: { gain: 1 } },
  { orthogonal: { gain: 1, blocks: 1, block_axis: -1 } },
  { xavier_uniform: { gain: 1 } },
  { xavier_normal: { gain: 1 } },
  { kaiming_uniform: KAIMING },
  { kaiming_normal: KAIMING },
  { delta_orthogonal: { gain: 1 } },
  { dirac: { groups: 1 } },
  { sparse: { stddev: 0.01, axis: 0 } },
  {
    stft: {
      side: "STFT_SIDE_REAL",
      window: "STFT_WINDOW_HANN",
      scaling: "STFT_SCALING_DENSITY",
      periodic: false,
    },
  },
];

const DEFAULTS = new Map(
  LEFT_OUT.map((json) => {
    const defaults = fromJson(InitializerSpecSchema, json);
    return [defaults.kind.case, defaults];
  }),
);

const ITEM_BYTES = new Map([
  [Dtype.FLOAT16, 2],
  [Dtype.BFLOAT16, 2],
  [Dtype.FLOAT32, 4],
  [Dtype.FLOAT64, 8],
  [Dtype.INT8, 1],
  [Dtype.INT16, 2],
  [Dtype.INT32, 4],
  [Dtype.INT64, 8],
  [Dtype.UINT8, 1],
  [Dtype.UINT16, 2],
  [Dtype.UINT32, 4],
  [Dtype.UINT64, 8],
  [Dtype.BOOL, 1],
  [Dtype.FLOAT8_E4M3FN, 1],
  [Dtype.FLOAT8_E5M2, 1],
]);

/** Throws unless an answer repeats the request; it may write out what the request left to it. */
export function checkUnderstood(asked: TensorRequest, repeated?: TensorRequest): void {
  const isSame = repeated !== undefined && bytesOf(asked).equals(bytesOf(repeated));
  check(isSame, "the answer is for another tensor");
}

// Bytes, and not values: -0.0 is another constant than 0.0, and unknown fields count.
function bytesOf(request: TensorRequest): Buffer {
  const whole = clone(TensorRequestSchema, request);
  if (whole.spec?.initializer !== undefined) {
    whole.spec.initializer = withDefaults(whole.spec.initializer);
  }
  return Buffer.from(toBinary(TensorRequestSchema, whole));
}

function withDefaults(given: InitializerSpec): InitializerSpec {
  const defaults = DEFAULTS.get(given.kind.case);
  if (defaults === undefined) {
    return given;
  }
  const whole = clone(InitializerSpecSchema, defaults);
  return mergeFromBinary(InitializerSpecSchema, whole, toBinary(InitializerSpecSchema, given));
}

/** Throws unless a header announces the tensor that was asked for. */
export function checkHeader(asked: TensorRequest, numerics: Numerics, header: TensorHeader): void {
  checkUnderstood(asked, header.request);
  const isRight =
    header.numerics === numerics &&
    header.dtype === asked.spec?.dtype &&
    header.shape.join() === shapeOf(asked).join() &&
    header.totalBytes === BigInt(sizeBytesOf(asked));
  check(isRight, "the header does not fit its request");
}

export function itemBytesOf(request: TensorRequest): number {
  return ITEM_BYTES.get(request.spec?.dtype ?? Dtype.UNSPECIFIED) ?? 0;
}

export function sizeBytesOf(request: TensorRequest): number {
  return shapeOf(request).reduce((size, length) => size * Number(length), itemBytesOf(request));
}

function shapeOf(request: TensorRequest): bigint[] {
  return request.slice?.lengths ?? request.spec?.shape ?? [];
}
