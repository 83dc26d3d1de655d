/** Every entry of the golden file, byte for byte. */

import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";

import { digest, hexadecimal, sample } from "../src/index.js";
import { goldenEntries, requestOf, type Entry } from "./golden-file.js";

interface Count {
  passed: number;
  total: number;
}

/** By initializer, then by dtype. */
const results: Record<string, Record<string, Count>> = {};

for (const [title, entries] of grouped(goldenEntries())) {
  test(`${title}: every golden tensor, byte for byte`, () => {
    const { initializer, dtype } = entries[0]!;
    const count = { passed: 0, total: entries.length };
    (results[initializer] ??= {})[dtype] = count;
    const failures = entries.map(failureOf).filter((failure) => failure !== undefined);
    count.passed = count.total - failures.length;
    assert.deepEqual(failures, []);
  });
}

test("the golden file has the entries that it had", () => {
  assert.ok(goldenEntries().length >= 670);
});

after(() => {
  const path = process.env.SEEDBED_CONFORMANCE_OUT;
  if (!path) return;
  // Whoever reads it meanwhile, as other tests may, finds all of it.
  writeFileSync(`${path}.new`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${path}.new`, path);
});

function grouped(entries: readonly Entry[]): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const title = `${entry.initializer}, ${entry.dtype}`;
    groups.set(title, [...(groups.get(title) ?? []), entry]);
  }
  return groups;
}

/** What differs from the entry, or undefined. */
function failureOf(entry: Entry): object | undefined {
  const { id, size_bytes, first_bytes, xxh3_128, sha256 } = entry;
  try {
    const { bytes } = sample(requestOf(entry));
    const received = {
      id,
      size_bytes: bytes.length,
      first_bytes: hexadecimal(bytes.subarray(0, first_bytes.length / 2)),
      xxh3_128: digest(bytes),
      sha256: digest(bytes, "sha256"),
    };
    assert.deepEqual(received, { id, size_bytes, first_bytes, xxh3_128, sha256 });
    return undefined;
  } catch (error) {
    return { id, error: (error as Error).message };
  }
}
