/** From the texts of the page's fields to a request. */

import {
  ArgumentError,
  PARAMETERS,
  type Dtype,
  type FanAxes,
  type Initializer,
  type TensorRequest,
} from "../../../packages/seedbed-1/src/index.js";
import { kindOf, type State } from "./state.js";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;

export function requestOf(state: State): TensorRequest {
  const fanAxes = fanAxesOf(state);
  return {
    name: state.name!,
    shape: integers("shape", state.shape!),
    dtype: state.dtype as Dtype,
    initializer: initializerOf(state),
    seed: bigInteger("seed", state.seed!),
    draw: bigInteger("draw", state.draw!),
    ...(fanAxes && { fanAxes }),
  };
}

function initializerOf(state: State): Initializer {
  const kind = kindOf(state);
  const parameters = Object.entries(PARAMETERS[kind]).map(([name, parameter]) => {
    const text = (state[name] ?? "").trim();
    if (text === "") return [name, undefined];
    if (parameter.choices) return [name, text];
    if (typeof parameter.default === "boolean") return [name, text === "true"];
    return [name, name === "value" ? exactNumber(text) : number(name, text)];
  });
  const given = parameters.filter(([, value]) => value !== undefined);
  return { kind, ...Object.fromEntries(given) } as Initializer;
}

/** Undefined if no axes are named. */
function fanAxesOf(state: State): FanAxes | undefined {
  const inAxis = integers("in_axis", state.in_axis!);
  const outAxis = integers("out_axis", state.out_axis!);
  const batchAxis = integers("batch_axis", state.batch_axis!);
  const areNamed = inAxis.length + outAxis.length + batchAxis.length > 0;
  return areNamed ? { inAxis, outAxis, batchAxis } : undefined;
}

function integers(field: string, text: string): number[] {
  const parts = text.replace(/[()[\]]/g, " ").split(/[\s,x×]+/).filter((part) => part !== "");
  return parts.map((part) => {
    if (!INTEGER.test(part)) throw new ArgumentError(field, "must be integers", part);
    return Number(part);
  });
}

function number(field: string, text: string): number {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity) return infinity[1] === "-" ? -Infinity : Infinity;
  if (!NUMBER.test(text)) throw new ArgumentError(field, "must be a number", text);
  return Number(text);
}

/** A bigint where float64 would not hold the integer. */
function exactNumber(text: string): number | bigint {
  const value = number("value", text);
  return INTEGER.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

function bigInteger(field: string, text: string): bigint {
  const trimmed = text.trim() || "0";
  if (!INTEGER.test(trimmed)) throw new ArgumentError(field, "must be an integer", text);
  return BigInt(trimmed);
}
