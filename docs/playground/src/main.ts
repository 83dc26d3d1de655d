/** The page: what is chosen is computed a moment later, and kept in the address. */

import { ArgumentError, describe } from "../../../packages/seedbed-1/src/index.js";
import { clearErrors, readState, setUpForm, showError, showState } from "./form.js";
import { byId } from "./html.js";
import { planOf } from "./plan.js";
import { requestOf } from "./request.js";
import { showResults, type Redraw } from "./results.js";
import { fromFragment, kindOf, parameterDefaults, START, toFragment, type State } from "./state.js";

const DELAY_MS = 200;

/** Shapes for initializers that do not fit the one that is there. */
const EXAMPLES: Readonly<Record<string, string>> = {
  dirac: "3, 3, 16, 32",
  delta_orthogonal: "3, 3, 16, 32",
  stft: "64, 1, 33",
  orthogonal: "128, 128",
  sparse: "256, 256",
  identity: "24, 32",
};

let timer = 0;
let redraw: Redraw | undefined;

function start(): void {
  setUpForm();
  showState(fromFragment(location.hash));
  byId("form").addEventListener("input", (event) => {
    if ((event.target as HTMLElement).id === "initializer") changeInitializer();
    later();
  });
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === toFragment(readState())) return;
    showState(fromFragment(location.hash));
    update();
  });
  new ResizeObserver(() => redraw?.()).observe(byId("figure-frame"));
  update();
}

/** Keeps what both initializers have; a shape that does not fit is replaced by one that does. */
function changeInitializer(): void {
  const before = readState();
  const kind = kindOf(before);
  const { shape, dtype, name, seed, draw, in_axis, out_axis, batch_axis } = before as typeof START;
  const common = { initializer: kind, dtype, name, seed, draw, in_axis, out_axis, batch_axis };
  const state = { ...common, shape, ...parameterDefaults(kind) } as State;
  const other = EXAMPLES[kind] ?? START.shape!;
  showState(fits(state) ? state : { ...state, shape: other });
}

function fits(state: State): boolean {
  try {
    const request = requestOf(state);
    describe(request);
    return planOf(request).kind !== "none";
  } catch (error) {
    return !(error instanceof ArgumentError && error.argument === "shape");
  }
}

function later(): void {
  clearTimeout(timer);
  document.body.dataset.state = "computing";
  timer = setTimeout(update, DELAY_MS);
}

function update(): void {
  const state = readState();
  history.replaceState(null, "", `#${toFragment(state)}`);
  try {
    redraw = showResults(requestOf(state));
    clearErrors();
    show("ready", "");
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const isAtField = showError(error.argument, error.message);
    show("error", isAtField ? "Nothing is sampled: see the marked field." : error.message);
  }
}

function show(condition: "ready" | "error", message: string): void {
  document.body.dataset.state = condition;
  const error = byId("error");
  error.textContent = message;
  error.hidden = message === "";
}

start();
