/** What is chosen on the page, as the texts of its fields, and in the address's fragment. */

import { INITIALIZERS, PARAMETERS, type Kind } from "../../../packages/seedbed-1/src/index.js";

/** The text of every field by its name; parameters are by theirs. */
export type State = Readonly<Record<string, string>>;

export const START: State = {
  initializer: "glorot_uniform",
  shape: "784, 256",
  dtype: "float32",
  name: "dense/kernel",
  seed: "42",
  draw: "0",
  in_axis: "",
  out_axis: "",
  batch_axis: "",
};

/** What a parameter without a default starts with. */
const FIRST_SPARSITY = "0.5";

export function kindOf(state: State): Kind {
  const kind = state.initializer as Kind;
  return INITIALIZERS.includes(kind) ? kind : "glorot_uniform";
}

/** The texts that an initializer's parameters start with. */
export function parameterDefaults(kind: Kind): State {
  return Object.fromEntries(
    Object.entries(PARAMETERS[kind]).map(([name, { default: value }]) => [
      name,
      value === undefined ? FIRST_SPARSITY : shown(value),
    ]),
  );
}

export function toFragment(state: State): string {
  const standard: State = { ...parameterDefaults(kindOf(state)), ...START };
  const changed = Object.entries(state).filter(
    ([name, text]) => name === "initializer" || text !== standard[name],
  );
  return new URLSearchParams(changed).toString();
}

export function fromFragment(fragment: string): State {
  const given = Object.fromEntries(new URLSearchParams(fragment.replace(/^#/, "")));
  const kind = kindOf({ ...START, ...given });
  const standard: State = { ...START, ...parameterDefaults(kind), initializer: kind };
  const known = Object.entries(given).filter(([name]) => name in standard);
  return { ...standard, ...Object.fromEntries(known), initializer: kind };
}

function shown(value: unknown): string {
  return String(value).replace("Infinity", "inf");
}
