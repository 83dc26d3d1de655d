"""Compares the output of ``HashLines COUNT`` with libxxhash."""

import sys

import xxhash

count = int(sys.argv[1])
pattern = bytes((place * 2_654_435_761 >> 13) & 0xFF for place in range(count))
lines = sys.stdin.read().splitlines()
if len(lines) != count:
    sys.exit(f"{len(lines)} hashes, not {count}")
for size, line in enumerate(lines):
    start = pattern[:size]
    expected = f"{xxhash.xxh3_64_hexdigest(start)} {xxhash.xxh3_128_hexdigest(start)}"
    if line != expected:
        sys.exit(f"of {size} bytes: {line}, not {expected}")
print(f"{count} hashes: right")
