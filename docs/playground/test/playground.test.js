/** The real page in a real browser, from a file and from a server of files. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const PAGE = new URL("../", import.meta.url);
const GOLDEN = new URL("../../../server/seedbed_server/golden/seedbed-1.json", import.meta.url);
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };

/** Golden tensors of every kind of initializer, and of every kind of dtype. */
const IDS = [
  "glorot_uniform-float32-4x6x5-experts",
  "glorot_normal-float16-33x17",
  "he_normal-float32-4x6x5-experts",
  "random_uniform-float64-19-wide",
  "random_normal-bfloat16-19-far-mean",
  "random_normal-float64-19-far-mean",
  "truncated_normal-float64-19-narrow",
  "truncated_normal-float8_e5m2-33x17",
  "variance_scaling-float32-5x3x6-fan_geo_avg-untruncated_normal",
  "xavier_uniform-float64-scalar-gain",
  "kaiming_normal-float32-4x6x5-leaky_relu",
  "orthogonal-float8_e4m3fn-3x7x4-experts",
  "orthogonal-float64-5x4x3-experts-last",
  "delta_orthogonal-float32-3x2x4x5-stacked",
  "dirac-int8-2x3x4x5-stacked",
  "sparse-float64-33x17-axis-0",
  "identity-bool-2x3x4-batch",
  "constant-int64-2-smallest",
  "constant-float16-2-subnormal",
  "zeros-uint8-2x3",
  "stft-float64-8x1x4-blackmanharris",
  "glorot_normal-float32-3x5x7",
  "random_uniform-float32-200003",
];

const golden = new Map(
  JSON.parse(readFileSync(GOLDEN, "utf8")).tensors.map((entry) => [entry.id, entry]),
);

let browser;
let page;
/** What the page says that it should not. */
const complaints = [];

before(async () => {
  browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
  page = await opened();
});

after(() => browser.close());

for (const id of IDS) {
  test(`the page shows the golden digests of ${id}`, async () => {
    const entry = golden.get(id);
    await show(page, fragmentOf(entry));
    assert.equal(await page.textContent("#xxh3"), entry.xxh3_128);
    assert.equal(await page.textContent("#sha256"), entry.sha256);
    assert.equal(await page.textContent("#digest-of"), "of the whole tensor");
  });
}

test("typing changes the digest, and the address, which shows the same again", async () => {
  await show(page, "");
  const first = await page.textContent("#xxh3");
  await page.fill("[name=seed]", "43");
  await settled(page);
  const second = await page.textContent("#xxh3");
  assert.notEqual(second, first);
  assert.match(page.url(), /seed=43/);
  const other = await opened();
  await show(other, new URL(page.url()).hash.slice(1));
  assert.equal(await other.textContent("#xxh3"), second);
  await other.close();
});

test("another initializer brings its parameters, and a shape if it needs another", async () => {
  await show(page, "");
  await page.selectOption("#initializer", "truncated_normal");
  await settled(page);
  const fields = page.locator("#parameters [name]");
  const names = await fields.evaluateAll((all) => all.map((field) => field.name));
  assert.deepEqual(names, ["mean", "stddev", "lower", "upper"]);
  await page.selectOption("#initializer", "dirac");
  await settled(page);
  assert.equal(await page.inputValue("[name=shape]"), "3, 3, 16, 32");
  assert.equal(await state(page), "ready");
});

test("an impossible number is refused at its field, and forgiven when it is mended", async () => {
  await show(page, "initializer=random_normal&stddev=-1");
  assert.equal(await state(page), "error");
  assert.equal(
    await page.textContent("label:has([name=stddev]) .error"),
    "stddev must be finite and 0 or more. Received: -1",
  );
  assert.equal(await page.getAttribute("[name=stddev]", "aria-invalid"), "true");
  await page.fill("[name=stddev]", "1");
  await settled(page);
  assert.equal(await state(page), "ready");
  assert.equal(await page.locator("label .error").count(), 0);
});

for (const [fragment, field, message] of [
  ["shape=2,-1", "shape", /0 or more/],
  ["shape=2,many", "shape", /must be integers. Received: "many"/],
  ["dtype=int8", "dtype", /floating one for glorot_uniform/],
  ["seed=18446744073709551616", "seed", /to 2\*\*64 - 1/],
  ["in_axis=5", "in_axis", /^in_axis must be from -2 to 1. Received: 5$/],
  ["initializer=random_uniform&minval=1&maxval=0", "maxval", /minval=1 or more/],
  ["initializer=random_normal&mean=1e30&dtype=float16", "mean", /65504/],
]) {
  test(`${fragment} is refused at the field ${field}`, async () => {
    await show(page, fragment);
    assert.equal(await state(page), "error");
    assert.match(await page.textContent(`label:has([name=${field}]) .error`), message);
  });
}

test("of a large tensor the first rows are computed, and the page says so", async () => {
  await show(page, "shape=50257,768");
  assert.match(await page.textContent("#note"), /the first \(341, 768\) of \(50257, 768\)/);
  assert.equal(await page.textContent("#digest-of"), "of these elements");
  await show(page, "initializer=orthogonal&shape=4096,4096");
  assert.match(await page.textContent("#note"), /does not sample a matrix/);
  assert.equal(await page.textContent("#xxh3"), "–");
});

test("the drawing has bars, the curve, and no more width than a phone", async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const fragment of [
    "",
    "initializer=he_normal&dtype=float8_e4m3fn",
    "initializer=orthogonal&shape=2,2",
    "initializer=random_normal&dtype=float64",
  ]) {
    await show(page, fragment);
    assert.ok((await page.locator("#figure .bars rect").count()) > 1);
    const path = await page.getAttribute("#figure .curve", "d");
    assert.doesNotMatch(path, /NaN|Infinity/);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    const isInside = await page.evaluate(() => {
      const edge = document.querySelector("#content").getBoundingClientRect().right - 16;
      return [...document.querySelectorAll("#content td, #content dd")].every(
        (cell) => cell.getBoundingClientRect().right <= edge,
      );
    });
    assert.ok(isInside, fragment);
  }
});

test("edges: scalars, nothing, one number only, bounds that nearly meet", async () => {
  for (const [fragment, caption] of [
    ["shape=", /1 numbers/],
    ["shape=0,3", /no elements/],
    ["initializer=random_uniform&minval=1&maxval=1", /first rows/],
    ["initializer=truncated_normal&lower=0.1&upper=0.10000000000001", /exact density/],
    ["initializer=sparse&sparsity=1&shape=4,4", /All elements are 0/],
    ["initializer=constant&value=18446744073709551615&dtype=uint64&shape=3", /first rows/],
  ]) {
    await show(page, fragment);
    assert.equal(await state(page), "ready", fragment);
    assert.match(await page.textContent("#caption"), caption);
  }
});

test("the page works from a server of files, too", async () => {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    response.setHeader("Content-Type", TYPES[path.split(".").at(-1)] ?? "text/plain");
    response.end(readFileSync(new URL(path, PAGE)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const entry = golden.get(IDS[0]);
  const served = await opened(`http://127.0.0.1:${server.address().port}/`);
  await show(served, fragmentOf(entry));
  assert.equal(await served.textContent("#xxh3"), entry.xxh3_128);
  await served.close();
  server.close();
});

test("the page asks nobody else for anything, and no error went to the console", () => {
  assert.deepEqual(complaints, []);
});

async function opened(address = new URL("index.html", PAGE).href) {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => complaints.push(error.message));
  tab.on("console", (message) => complaints.push(message.text()));
  tab.on("request", (request) => {
    const isOwn = /^(file|data|http:\/\/127\.0\.0\.1)/.test(request.url());
    if (!isOwn) complaints.push(request.url());
  });
  await tab.goto(address);
  await settled(tab);
  return tab;
}

/** As if somebody had opened a shared address. */
async function show(page, fragment) {
  await page.evaluate((hash) => {
    location.hash = hash || "initializer=glorot_uniform";
  }, fragment);
  // The page takes the fragment in an event after that.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  await settled(page);
}

function settled(page) {
  return page.waitForSelector("body:not([data-state=computing])");
}

function state(page) {
  return page.evaluate(() => document.body.dataset.state);
}

function fragmentOf(entry) {
  const { initializer, parameters = {}, shape, dtype, name, seed, draw, fan_axes = {} } = entry;
  const axes = Object.entries(fan_axes).map(([role, all]) => [role, all.join(",")]);
  const texts = { initializer, ...parameters, shape: shape.join(","), dtype, name, seed, draw };
  return new URLSearchParams({ ...texts, ...Object.fromEntries(axes) }).toString();
}
