"""What docs/numerics.md says of values, with numbers computed from the code."""

import dataclasses
import hashlib
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
from scipy.special import ndtri

from seedbed.spec.dtypes import LARGEST, Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import INITIALIZERS
from seedbed.spec.initializers.bounds import FARTHEST_NEAR_BOUND
from seedbed.spec.initializers.stft import MAX_LENGTH
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels import bounds, normal, normal_coefficients, orthogonal, windows
from seedbed_server.kernels.bounds import interval
from seedbed_server.kernels.keys import DOMAIN, derive_key, derive_second_key
from seedbed_server.kernels.turns import ONE
from tests.golden.page_notation import hexadecimal, power, scientific
from tests.golden.page_specs import fill, is_allowed
from tests.reference import document, floats, words
from tests.reference.oracle import Tensor, element
from tests.samples import sample
from tests.unit import test_normal_accuracy
from tools import write_golden

TEXT = document.text()
INF = math.inf
WORST_TAILS = (0x33D52693, 0x2B822A70)
"""The bits of the float32 tails from 2**-26 on, and below, whose quantiles are farthest off."""
STRIDE = 9973
"""Of so many float32 tails, one is tried here; once, all were."""
WINDOWS = [*windows.COSINE_SERIES, *windows._FORMULAS]  # all that there are


def fourier() -> Iterator[str]:
    yield f"The shape is (N, 1, B) with B of 2 or more, each length at most {power(MAX_LENGTH)};"
    for shape, good in (
        ((5, 1, 2), True),
        ((5, 1, 1), False),
        ((5, 2, 2), False),
        ((0, 1, 2), True),
    ):
        assert is_allowed(fill, "stft", shape) is good
    yield "Without elements (N = 0)"
    bins = 4
    points = next(
        points
        for points in range(2, 20)
        if all(
            abs(fourier_wave(bins, k) - math.cos(2 * math.pi * k / points)) < 1e-12
            for k in range(bins)
        )
    )
    assert points == 2 * (bins - 1)
    yield "`F = 2 * (B - 1)`"
    yield "Element (t, 0, k) is the exact value"
    assert sum(windows.window_values("cosine", 5, periodic=False)) > ONE
    yield "the sum of all `w(t)**2`"
    yield "for none, 1. Both sums run over t = 0 .. N - 1."
    assert all(windows.window_values(name, 1, periodic=True) == [ONE] for name in WINDOWS)
    yield "`w(t) = 1` and `divisor = 1` whatever the scaling. Otherwise `w(t) = 1` if N = 1;"
    yield "`M = N + 1` for a periodic window"
    yield "`d = abs(2 * t - (M - 1))`"
    yield "| `window` | `w(t)` for t = 0 .. N - 1 |"
    yield "| `window` | exact decimals `a[0]`, `a[1]`, ... |"
    for name, coefficients in windows.COSINE_SERIES.items():
        decimals = (f"{a / 10**9:.9f}".rstrip("0").rstrip(".") for a in coefficients)
        yield f"| {name} | {', '.join(decimals)} |"
    zeros = [name for name in WINDOWS if not any(windows.window_values(name, 2, periodic=False))]
    yield f"(N = 2, not periodic, one of {', '.join(zeros)})"


def fourier_wave(bins: int, k: int) -> float:
    """Return an element of a kernel without a window, at t = 1."""
    tensor = Tensor("stft", "float64", (2, 1, bins), {"window": "none"})
    return element(tensor, bins + k)


def uniforms() -> Iterator[str]:
    narrow, wide = floats.FLOAT32, floats.FLOAT64
    yield f"`unused` = {narrow.bits - narrow.precision} and `digits` = {narrow.precision} for"
    yield f"{narrow.precision} for {narrow.bits}-bit words, {wide.bits - wide.precision} and"
    yield f"and {wide.precision} for {wide.bits}-bit words."
    yield "exact, in [0, 1)"
    assert [word >> 8 < 2**24 for word in (0, 2**32 - 1)] == [True, True]


def normals() -> Iterator[str]:
    yield "a tail probability of at most 1/2"
    yield f"`N` is {floats.FLOAT32.bits} or {floats.FLOAT64.bits}, the bits of a word."
    for bits in (32, 64):
        whole, half = interval(-INF, INF, bits), 2 ** (bits - 1)
        assert dataclasses.astuple(whole) == (half, 2.0**-bits, 0.0, 0.0, 0.0)
        symmetric, below = interval(-1.7, 1.7, bits), interval(-1.7, 0.0, bits)
        assert (symmetric.split, symmetric.remainder, below.split) == (half, 0.0, 2**bits - 1)
    yield "`split = 2**(N-1)`, `step = 2**-N`, both edges 0, remainder 0."
    yield "with bounds -b and b, `split = 2**(N-1)` and `remainder = 0`; with `upper = 0`,"
    yield "the quotient is `2**N`, so that `split = 2**N - 1`"
    yield f"{bounds.DIGITS} decimal digits were enough"
    yield f"not word is {power(2**32 - 1)} - word"
    yield f"not word is {power(2**64 - 1)} - word"
    yield "the bits of float32(sqrt(1/2))"
    assert (
        floats.encode(floats.square_root(0.5, floats.FLOAT32), floats.FLOAT32)
        == normal.FLOAT32_ROOT_HALF
    )
    yield "the bits of float64(sqrt(1/2))"
    assert floats.encode(math.sqrt(0.5), floats.FLOAT64) == normal.FLOAT64_ROOT_HALF
    yield "from sqrt(1/2) to sqrt(2)"
    scale, root = normal_coefficients.SCALE, normal_coefficients.ROOT_AT_HALF
    yield f"about sqrt(-{scale} * log2(tail))"
    assert root**2 == scale
    yield f"{root}**2 is {scale}, so t is 0 at tail 1/2"
    half = normal_coefficients.CENTRAL_HALF_WIDTH
    assert (
        floats.round_ratio(425**2, 10**6, floats.FLOAT64)
        == normal_coefficients.CENTRAL_HALF_WIDTH_SQUARED
    )
    yield f"{half}**2 as a decimal, rounded to float64"
    with mpmath.workdps(40):
        assert float(mpmath.log(2)) == normal.LN_2
    yield f"0x{floats.encode(normal.LN_2, floats.FLOAT64):X}: ln 2"
    sparse: Any = INITIALIZERS["sparse"]
    assert [sparse(0.5, axis=axis).axis for axis in (0, -2, 1, -1)] == [0, 0, 1, 1]
    yield "`axis` (0 or -2: a column, 1 or -1: a row)"
    lanes = len(words.block(0, (1, 2, 3, 4)))
    yield f"has the {32}-bit word that is lane `i mod {lanes}` of block `i div {lanes}` under"


def narrow_types() -> Iterator[str]:
    names = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
    sixteen, brain, four, five = (floats.FORMATS[name] for name in names)
    yield f"multiples of 2**{sixteen.last_place} (float16), 2**{brain.last_place} (bfloat16),"
    yield f"2**{four.last_place} (float8_e4m3fn) or 2**{five.last_place} (float8_e5m2)."
    yield f"So the {sixteen.bits}-bit or {four.bits}-bit tensor is exactly"
    yield f"({LARGEST[Dtype.FLOAT8_E4M3FN]:g} or {LARGEST[Dtype.FLOAT8_E5M2]:g}), infinity included"
    yield f"(`m` is `bits(x) & 0x{2**31 - 1:X}`;"


def matrices() -> Iterator[str]:
    yield "Without batch axes and with `blocks` = 1, the tensor is one matrix;"
    yield "With `blocks` > 1, the axis `block_axis`"
    yield "the 64-bit word with the index `i * n + j`"
    yield f"Columns are taken in panels of {orthogonal.BLOCK},"
    yield "m x n: 1 on the main diagonal, else +0"
    (row,), (column,) = FanAxes().in_axis, FanAxes().out_axis
    yield f"one as output ({row} and {column} where no axes are named), not more"
    kernel = Tensor("delta_orthogonal", "float32", (4, 1, 2), seed=1)
    found = [index // 2 for index in range(8) if element(kernel, index)]
    assert set(found) == {(4 - 1) // 2}
    yield "spatial indices are all `(length - 1) div 2` form a rectangle"
    yield f"A bool is one byte, {False:d} or {True:d}."
    yield f"seed {0}, the {hashlib.md5(b'').digest_size} bytes of its canonical"


def largest_error(low: float, high: float) -> float:
    """Return the largest error of float32's quantile for a part of the tails between two."""
    first, last = (int(np.float32(x).view(np.uint32)) for x in (low, high))
    tails = np.arange(first, last, STRIDE).astype(np.uint32).view(np.float32)
    found = np.array([normal.lower_quantile_float32(tail) for tail in tails], np.float64)
    return float(np.abs(found - ndtri(tails.astype(np.float64))).max())


def errors() -> Iterator[str]:
    """Measure, and yield what the page says of it."""
    near, far_out = test_normal_accuracy.FLOAT32_ERROR, test_normal_accuracy.FLOAT32_ERROR_FAR_OUT
    assert largest_error(2.0**-26, 0.5) < near
    assert near < largest_error(2.0**-40, 2.0**-26) < far_out
    yield f"within {scientific(near, 0)} (absolute)"
    yield f"and within {scientific(far_out, 1)} for smaller ones"
    # Found by trying all float32 tails.
    worst = [
        abs(float(normal.lower_quantile_float32(tail)) - float(ndtri(float(tail))))
        for tail in np.array(WORST_TAILS, np.uint32).view(np.float32)
    ]
    yield f"the largest errors were {worst[0]:.2e} and {worst[1]:.2e}.".replace("e-0", "e-")
    yield f"all of those are within {scientific(near, 0)}"
    units, centre = test_normal_accuracy.FLOAT64_UNITS, test_normal_accuracy.FLOAT64_CENTRE
    yield f"within {units:g} units in the last place"
    yield f"abs(z) > {scientific(centre, 0)}."
    size, bound = 2048, 1e-14
    backend = CpuBackend()
    spec = TensorSpec("q", (size, size), "float64", INITIALIZERS["orthogonal"](), 1)
    q = sample(backend, spec)
    backend.close()
    assert np.abs(q.T @ q - np.eye(size)).max() < bound
    yield f"(within {scientific(bound, 0)} at {size} x {size} in float64)"


def promises() -> Iterator[str]:
    def quantile(tail: float) -> float:
        return -float(ndtri(tail))

    farthest = [quantile(2.0**-33), quantile(2.0**-65)]
    yield f"reach {farthest[0]:.2f} standard deviations in float32 and {farthest[1]:.2f} in float64"
    smallest = normal_coefficients.SMALLEST_TAIL
    yield f"ends {quantile(smallest):.2f} standard deviations out"
    yield f"(a tail of 2**{math.log2(smallest):.0f})"
    part = smallest / (math.erfc(4 / math.sqrt(2)) / 2)
    yield f"for bounds (-infinity, -{FARTHEST_NEAR_BOUND:g}) about {part * 1e8:.0f} in 100 million"
    yield f"from 2**-26 on, up to {quantile(2.0**-26):.2f} standard deviations out"
    unit = float(np.spacing(np.float32(quantile(2.0**-26))))
    yield f"(a unit in the last place is {scientific(unit, 1)} there)"
    narrow = f"{floats.FLOAT16.bits}-bit or {floats.FLOAT8_E5M2.bits}-bit"
    yield f"**A {narrow} number can reach the bound.**"


def example() -> Iterator[str]:
    yield '`seed = 1`, `name = "dense/kernel"`, `draw = 0`:'
    seed, draw, name = 1, 0, "dense/kernel"
    material = hashlib.sha256(DOMAIN + struct.pack("<QQ", seed, draw) + name.encode())
    yield f"material = {material.hexdigest()}"
    first, second = derive_key(seed, draw, name), derive_second_key(seed, draw, name)
    key = dataclasses.astuple(first)
    yield f"key0, key1 = {hexadecimal(key[:2])}"
    yield f"counter2, counter3 = {hexadecimal(key[2:])}"
    yield f"lanes of block 0 = {hexadecimal(words.block(0, key))}"
    yield f"second key = {hexadecimal(dataclasses.astuple(second))}"
    yield "tensors of shape (2, 3)."
    for row in re.findall(r"^\| (`\w+`(?:, stddev 1)? \| \w+) \| .*0x.* \|$", TEXT, re.MULTILINE):
        yield example_row(row)
    narrow, wide = interval(-2.0, 2.0, 32), interval(-1.0, 3.0, 64)
    assert narrow.low_edge == narrow.high_edge
    yield f"`split` = {narrow.split}, `step` = {narrow.step!r} and both edges"
    yield f"both edges {narrow.low_edge!r} before they are rounded"
    yield f"Bounds (-1, 3) with 64-bit words: `split` = {wide.split}, `step` = {wide.step!r},"
    yield f"`low_edge` = {wide.low_edge!r}, `high_edge` = {wide.high_edge!r},"
    yield f"`remainder` = {wide.remainder!r}."


def example_row(start: str) -> str:
    """Return a row of the worked example."""
    match = re.fullmatch(r"`(\w+)`(, stddev 1)? \| (\w+)", start)
    assert match
    values = {"stddev": 1.0} if match[2] else {}
    tensor = Tensor(match[1], match[3], (2, 3), values, seed=1, name="dense/kernel")
    form = floats.FORMATS[match[3]]
    cells = []
    for index in (0, 1):
        number = element(tensor, index)
        cells += [repr(number), f"`0x{floats.encode(number, form):0{form.bits // 4}X}`"]
    return f"| {start} | {' | '.join(cells)} |"


def golden_file() -> Iterator[str]:
    entries = write_golden.read()
    tested = sum(entry.get("self_test", False) for entry in entries)
    yield f"holds digests of {len(entries)} tensors, for other"
    yield f"checks {tested} of them whenever a server starts"
    yield f"the bytes of its first {write_golden.FIRST_ELEMENTS} elements"
    assert '{"value": -0.0}' in write_golden.PATH.read_text(encoding="utf-8")
    yield "`-0.0` is minus zero"
    yield 'So `{"value": 1.0}` is a float64 and `{"value": "1"}` an integer.'
    yield "are below 2**53 in magnitude"
