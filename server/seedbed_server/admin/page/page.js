// Keeps the status page fresh: asks for it again every two seconds and takes over what changed. The
// server renders it all, so there is one description of it, and it can be read without this script.
"use strict";

const REFRESH_MS = 2000;
const TIMEOUT_MS = 10000;

let lastAnswer = new Date();

async function refresh() {
  // What somebody has selected stays as it is, to be copied.
  if (document.hidden || !getSelection().isCollapsed) return;
  try {
    const answer = await fetch("/", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(answer.statusText);
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    lastAnswer = new Date();
    lost("");
  } catch {
    lost(`No answer from the server since ${lastAnswer.toLocaleTimeString()}. Still trying.`);
  }
}

/** Puts each live part of a newer page into its place. */
function take(newer) {
  document.title = newer.title;
  for (const part of newer.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old.outerHTML === part.outerHTML) continue;
    for (const { name, value } of part.attributes) old.setAttribute(name, value);
    old.innerHTML = part.innerHTML;
  }
  const reading = document.querySelector(".reading");
  if (reading) show(reading.closest("figure"), Number(reading.dataset.share));
}

/** Says that the numbers are old, or, with no text, that they are not. */
function lost(text) {
  const line = document.getElementById("lost");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
  document.body.classList.toggle("stale", Boolean(text));
}

/** Shows what a chart has at a share of its width, beside a line. */
function show(figure, share) {
  const svg = figure.querySelector("svg");
  const lines = [...svg.querySelectorAll("[data-values]")].map((path) => ({
    label: path.dataset.label,
    values: path.dataset.values.split(" ").map(Number),
  }));
  const width = svg.viewBox.baseVal.width;
  const back = Math.round((1 - share) * width);
  const index = lines[0].values.length - 1 - back;
  const seconds = back * Number(document.querySelector("main").dataset.stepSeconds);
  const texts = lines.map(({ label, values }) => {
    const value = values[index];
    return `${label} ${Number.isFinite(value) ? quantity(value, svg.dataset.unit) : "–"}`;
  });
  const reading = figure.querySelector(".reading") ?? figure.querySelector(".plot").appendChild(made());
  reading.dataset.share = share;
  reading.style.left = `${share * 100}%`;
  reading.classList.toggle("left", share > 0.5);
  reading.firstChild.textContent = `${ago(seconds)}: ${texts.join(", ")}`;
}

function made() {
  const reading = document.createElement("div");
  reading.className = "reading";
  reading.setAttribute("role", "status");
  reading.append(document.createElement("span"));
  return reading;
}

function hide(figure) {
  figure.querySelector(".reading")?.remove();
}

/** The same words as the server's, in quantities.py. */
function quantity(value, unit) {
  if (unit === "count") return Math.round(value).toLocaleString("en");
  const units = unit === "bytes" ? ["B", "kB", "MB", "GB", "TB", "PB"] : [""];
  let power = 0;
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const text = value.toLocaleString("en", { maximumFractionDigits: digits });
  return `${text} ${units[power]}`.trim() + "/s";
}

function ago(seconds) {
  if (seconds === 0) return "now";
  const minutes = Math.floor(seconds / 60);
  return minutes ? `${minutes} min ${seconds % 60} s ago` : `${seconds} s ago`;
}

for (const figure of document.querySelectorAll("figure")) {
  const plot = figure.querySelector(".plot");
  plot.addEventListener("pointermove", (event) => {
    const { left, width } = plot.getBoundingClientRect();
    show(figure, Math.min(Math.max((event.clientX - left) / width, 0), 1));
  });
  plot.addEventListener("pointerleave", () => hide(figure));
  figure.addEventListener("blur", () => hide(figure));
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") hide(figure);
    if (!step) return;
    event.preventDefault();
    const width = figure.querySelector("svg").viewBox.baseVal.width;
    const at = Number(figure.querySelector(".reading")?.dataset.share ?? 1);
    const point = Math.round(at * width) + step * (event.shiftKey ? 20 : 1);
    show(figure, Math.min(Math.max(point / width, 0), 1));
  });
}
setInterval(refresh, REFRESH_MS);
document.addEventListener("visibilitychange", refresh);
