/** The fields of the page. */

import {
  DTYPES,
  INITIALIZERS,
  PARAMETERS,
  type Kind,
  type Parameter,
} from "../../../packages/seedbed-1/src/index.js";
import { byId, html } from "./html.js";
import { kindOf, type State } from "./state.js";

type Field = HTMLInputElement | HTMLSelectElement;

/** Fills the choices that do not depend on others. */
export function setUpForm(): void {
  byId("initializer").append(...options(INITIALIZERS));
  byId("dtype").append(...options(DTYPES));
}

/** Shows a state, with the fields of its initializer's parameters. */
export function showState(state: State): void {
  const kind = kindOf(state);
  const fields = Object.entries(PARAMETERS[kind]).map(([name, parameter]) =>
    parameterField(name, parameter),
  );
  byId("parameters").replaceChildren(...fields);
  for (const [name, text] of Object.entries(state)) {
    const field = fieldNamed(name);
    if (field) field.value = text;
  }
  const axes = byId("more") as HTMLDetailsElement;
  const isUsed = [state.in_axis, state.out_axis, state.batch_axis].some((text) => text !== "");
  if (isUsed || state.draw !== "0") axes.open = true;
}

export function readState(): State {
  return Object.fromEntries(allFields().map((field) => [field.name, field.value]));
}

/** Puts a message below the field that it is about; false if there is no such field. */
export function showError(argument: string, message: string): boolean {
  clearErrors();
  const names = allFields().map((field) => field.name);
  const name = names.find((candidate) => mentions(argument, candidate));
  const field = name === undefined ? undefined : fieldNamed(name);
  if (!field) return false;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", "field-error");
  // The package says fanAxes.inAxis where the page says in_axis.
  const words = message.replace(/^fanAxes(\.\w+)?/, field.name);
  const note = html("span", { id: "field-error", class: "error", role: "alert" }, words);
  field.closest("label")!.append(note);
  field.closest("details")?.setAttribute("open", "");
  return true;
}

export function clearErrors(): void {
  document.getElementById("field-error")?.remove();
  for (const field of allFields()) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

function parameterField(name: string, parameter: Parameter): HTMLElement {
  const isFlag = typeof parameter.default === "boolean";
  const choices = parameter.choices ?? (isFlag ? ["false", "true"] : undefined);
  const field = choices
    ? html("select", { name }, ...options(choices))
    : html("input", { name, autocomplete: "off", spellcheck: "false" });
  field.title = `${name} ${parameter.allowed}`;
  return html("label", {}, html("span", {}, name), field);
}

function options(words: readonly (string | Kind)[]): HTMLOptionElement[] {
  return words.map((word) => html("option", { value: word }, word));
}

function allFields(): Field[] {
  return [...byId("form").querySelectorAll<Field>("input, select")];
}

function fieldNamed(name: string): Field | undefined {
  return allFields().find((field) => field.name === name);
}

/** "|mean| + 11 * stddev" is about mean and stddev, "fanAxes.inAxis" about in_axis. */
function mentions(argument: string, name: string): boolean {
  const plain = argument
    .replace("initializer.kind", "initializer")
    .replace(/^(fanAxes)$/, "inAxis")
    .replace(/(in|out|batch)Axis/, "$1_axis");
  return plain.split(/[^a-z_]+/i).includes(name);
}
