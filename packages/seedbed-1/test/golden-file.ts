/** The project's golden file, and its entries as requests. */

import { readFileSync } from "node:fs";

import type { Dtype, Initializer, Kind, TensorRequest } from "../src/index.js";

/** An entry, as section 13 of docs/numerics.md has it. */
export interface Entry {
  readonly id: string;
  readonly initializer: Kind;
  readonly parameters?: Readonly<Record<string, number | string | boolean>>;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly name: string;
  readonly seed: string;
  readonly draw: string;
  readonly fan_axes?: Readonly<Record<"in_axis" | "out_axis" | "batch_axis", readonly number[]>>;
  readonly slice?: { readonly starts: readonly number[]; readonly lengths: readonly number[] };
  readonly size_bytes: number;
  readonly first_bytes: string;
  readonly xxh3_128: string;
  readonly sha256: string;
}

const FILE = new URL(
  "../../../../server/seedbed_server/golden/seedbed-1.json",
  import.meta.url,
);

export function goldenEntries(): readonly Entry[] {
  return (JSON.parse(readFileSync(FILE, "utf8")) as { tensors: Entry[] }).tensors;
}

export function requestOf(entry: Entry): TensorRequest {
  const { name, shape, dtype, slice, fan_axes } = entry;
  return {
    ...{ name, shape, dtype },
    initializer: initializerOf(entry),
    seed: BigInt(entry.seed),
    draw: BigInt(entry.draw),
    ...(slice && { slice }),
    ...(fan_axes && {
      fanAxes: {
        inAxis: fan_axes.in_axis,
        outAxis: fan_axes.out_axis,
        batchAxis: fan_axes.batch_axis,
      },
    }),
  };
}

function initializerOf({ initializer, parameters = {} }: Entry): Initializer {
  const values = Object.entries(parameters).map(([name, value]) => [name, parameterOf(value)]);
  return { kind: initializer, ...Object.fromEntries(values) } as Initializer;
}

function parameterOf(value: number | string | boolean): unknown {
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : value;
}
