"""Every number that docs/numerics.md prints is computed here, or has its reason in EXEMPT.

A claim is a piece of the page with its numbers computed from the code. What a claim says must be in
the page, and every number of the page must be in a claim, in a table that is computed, in a block
that test_numerics_code.py runs, or in EXEMPT.
"""

import dataclasses
import functools
import hashlib
import inspect
import itertools
import json
import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.special import ndtri

from seedbed.spec.dtypes import FLOATING, LARGEST, Dtype
from seedbed.spec.fans import FanAxes, compute_fans, fans_of
from seedbed.spec.gains import calculate_gain
from seedbed.spec.initializers import INITIALIZERS, FixedScalingSpec, InitializerSpec, parameters
from seedbed.spec.initializers.base import FARTHEST_NORMAL
from seedbed.spec.initializers.bounds import FARTHEST_NEAR_BOUND
from seedbed.spec.initializers.sparse import MAX_LINE
from seedbed.spec.initializers.stft import MAX_LENGTH
from seedbed.spec.seeds import MAX_DRAW, MAX_SEED, MIN_SEED
from seedbed.spec.shapes import MAX_BYTES, MAX_RANK
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import MAX_NAME_BYTES, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels import (
    bounds,
    normal,
    normal_coefficients,
    orthogonal,
    rounding,
    windows,
)
from seedbed_server.kernels.bounds import interval, truncated_stddev
from seedbed_server.kernels.keys import DOMAIN, derive_key, derive_second_key
from seedbed_server.kernels.turns import ONE
from seedbed_server.sampling.derivation import FARTHEST_BOUND
from tests.golden.test_numerics_code import RUNS, code_blocks, numbers_of_code
from tests.reference import document, floats, words
from tests.reference.oracle import Tensor, element
from tests.reference.pseudocode import Single, evaluate, run
from tests.samples import sample
from tests.unit import test_normal_accuracy
from tools import write_golden

TEXT = document.text()
NUMBER = re.compile(r"(?<![\w.])(?:0x[0-9A-F]+|\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?)(?!\w)")
INF = math.inf
Span = tuple[int, int]
WORST_TAILS = (0x33D52693, 0x2B822A70)
"""The bits of the float32 tails from 2**-26 on, and below, whose quantiles are farthest off."""
STRIDE = 9973
"""Of so many float32 tails, one is tried here; once, all were."""

EXEMPT = {
    r"`seedbed-1`|\"seedbed-1\"|seedbed-1\.json": "a name",
    r"UTF-8|SHA-256|XXH3-128|IEEE 754|SC 2011|Philox4x32-10": "names of standards and algorithms",
    r"doi[:.]\S+|arxiv:\S+|\[arXiv:[\d.]+\]|https://\S+": "addresses",
    r"\(section \d[.\d]*[,)]|[Ss]ections? \d+(?:\.\d)?": "test_links_lead_somewhere follows them",
    r"\]\(#[^)]+\)": "test_links_lead_somewhere follows them",
    r"^#+ \d[.\d]* .*$": "the sections' own numbers; test_links_lead_somewhere counts them",
    r"`0x1F`": "shows what hexadecimal looks like",
    r"[+-]0(?!\w|\.\d)": "the two zeros, told apart by their sign",
    r"\b0 or (?:more|less)|[<>]=? 0(?![\w.])": "a sign, not a magnitude",
    r"\bpairs with a factor 0\b|Indices start at 0|An exact 0 ": "zero itself",
    r"normal\(0, 1,\s": "the standard normal distribution",
    r"normal\(0, ": "the mean that is left out; the blocks of section 4 are run with it",
    r"^\d\. |steps? \d(?: to \d)?": "the steps of section 9, numbered by hand",
    r"element [01](?= \|)": "the first two elements, as the columns of the table say",
    r"\| \d+ \| `": "a table's orders; tests.reference.document counts them",
}
"""Pieces of the page whose numbers are not computed, and why."""


def power(number: int) -> str:
    """Return an integer in powers of two, as the page writes it."""
    if number < 0:
        return "-" + power(-number)
    bits = number.bit_length()
    if number == 1 << (bits - 1):
        return f"2**{bits - 1}"
    rest = (1 << bits) - number
    assert rest.bit_count() == 1
    return f"2**{bits} - {'1' if rest == 1 else power(rest)}"


def pattern(claim: str) -> str:
    """Return a regular expression for a claim, whatever its line breaks."""
    return r"\s+".join(map(re.escape, claim.split()))


@functools.cache
def claims() -> tuple[str, ...]:
    """Return all claims."""
    return tuple(all_claims())


def all_claims() -> Iterator[str]:
    """Compute all claims."""
    yield from arithmetic()
    yield from keys_and_words()
    yield from fans_and_scalings()
    yield from refusals()
    yield from constants()
    yield from fourier()
    yield from uniforms()
    yield from normals()
    yield from narrow_types()
    yield from matrices()
    yield from promises()
    yield from errors()
    yield from example()
    yield from golden_file()


def arithmetic() -> Iterator[str]:
    four, five = floats.FLOAT8_E4M3FN, floats.FLOAT8_E5M2
    nan = rounding.E4M3FN_LARGEST + 1
    for form, more in ((four, "no infinity"), (five, "infinities")):
        fields = f"{form.bits - form.precision} bits of exponent (bias {form.largest_exponent})"
        yield f"{fields}, {form.precision - 1} of fraction, {more}"
    yield f"the {four.bits}-bit formats"
    yield f"`0x{nan:02X}` and `0x{nan | 0x80:02X}` are NaN, largest {four.saturates_at:g}"
    yield f"largest finite {five.saturates_at:g}."
    yield f"-7 div 4 = {-7 // 4}, -7 mod 4 = {-7 % 4}"
    assert -7 >> 2 == -7 // 2**2
    yield "`a >> b` is `a div 2**b`"
    widths = f"{floats.FLOAT32.bits} or {floats.FLOAT64.bits} bits"
    yield f"unsigned integers of {widths}"
    yield f"two's complement of {widths}"
    assert -0.0 == 0.0
    yield "(`-0 = +0`)"
    assert "v        = 2 / 21\n" in TEXT
    yield "`2 / 21` between two written integers"
    yield "`T[0]` (the constant term)"


def keys_and_words() -> Iterator[str]:
    yield f"an integer from {power(MIN_SEED)} to {power(MAX_SEED)}; a negative one"
    assert TensorSpec("", (), "float32", INITIALIZERS["zeros"](), -1).seed == -1 + 2**64
    yield "stands for `seed + 2**64`"
    yield f"at most {MAX_NAME_BYTES:,} bytes in UTF-8"
    draw = inspect.signature(TensorSpec).parameters["draw"].default
    yield f"an integer from 0 to {power(MAX_DRAW)}, {draw} unless asked for"
    size = struct.calcsize("<Q")
    yield f"{len(DOMAIN)} of `seedbed-1` and the zero byte, {size} of each integer"
    yield f"and 0 to {MAX_NAME_BYTES:,} of the name"
    material = hashlib.sha256(DOMAIN + struct.pack("<QQ", 5, 6) + b"x").digest()
    second = dataclasses.astuple(derive_second_key(5, 6, "x"))
    starts = [material.index(struct.pack("<I", word)) for word in second]
    listed = [f"{start}-{start + 3}" for start in starts]
    yield f"of the bytes {', '.join(listed[:-1])} and {listed[-1]}"
    lanes = len(words.block(0, (1, 2, 3, 4)))
    yield f"products have {2 * 32} bits"
    yield f"numbered 0 to {lanes - 1}"
    yield f"the upper and lower {64 // 2} bits"
    elements = MAX_BYTES + 1
    yield f"at most {power(MAX_BYTES)} bytes (section 4.1), an element's index is below"
    yield f"below {power(elements)}, and `b` is below {power(elements // lanes)}"
    yield f"dtypes of {32} bits or fewer: the {32}-bit word that is lane `i mod {lanes}` of block"
    yield f"`i mod {lanes}` of block `i div {lanes}`;"
    key = (1, 2, 3, 4)
    for i in range(5):
        block = words.block(i // 2, key)
        assert words.word64(i, key) == block[2 * (i % 2)] + 2**32 * block[2 * (i % 2) + 1]
    yield "the 64-bit word `low + 2**32 * high`, where `low` is lane `2 (i mod 2)`"
    yield "`high` is lane `2 (i mod 2) + 1` of block `i div 2`"


def written(value: object) -> str:
    """Return a parameter's default as the page writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def default_row(names: list[str]) -> str:
    """Return a row of section 4's table up to the rule."""
    fields = parameters(INITIALIZERS[names[0]])
    defaults = [
        f"`{field.name}` (must be given)"
        if field.default is None
        else f"`{field.name}` = {written(field.default)}"
        for field in fields
    ]
    return f"| {', '.join(f'`{name}`' for name in names)} | {', '.join(defaults)} |"


def fans_and_scalings() -> Iterator[str]:
    table = r"^\| ((?:`\w+`(?:, )?)+) \|[^|]*\|[^|]*\|$"
    rows = re.findall(table, document.section("4"), re.MULTILINE)
    named = [re.findall(r"`(\w+)`", row) for row in rows]
    assert sorted(itertools.chain(*named)) == sorted(INITIALIZERS)
    for names in named:
        yield default_row(names).replace("|  |", "| |")
        specs = [INITIALIZERS[name] for name in names]
        if issubclass(specs[0], FixedScalingSpec):
            first, second = (spec.scaling for spec in specs if issubclass(spec, FixedScalingSpec))
            kinds = f"{first.distribution} or {second.distribution}"
            where = f"{second.lower:g}, {second.upper:g}"
            yield f"variance_scaling({first.scale:g}, {first.mode}, {kinds}, {where})"
    yield f"beyond {FARTHEST_BOUND:g} standard deviations (`lower < -{FARTHEST_BOUND:g}`,"
    yield f"`upper > {FARTHEST_BOUND:g}`)"
    (row,), (column,) = FanAxes().in_axis, FanAxes().out_axis
    yield f"An empty product is {math.prod(())}."
    yield f"the input axis is {row}, the output axis is {column}, and"
    yield f"({compute_fans(())[0]:g} for a scalar)"
    yield f"the rule's {row} or {column}."
    yield f"{row} and {column} where no axes are named; a request"
    for match in re.finditer(
        r"^\| (\(.*\)) \| (.*) \| (\d+) \| (\d+) \|$", document.section("4"), re.MULTILINE
    ):
        yield fans_row(match)
    assert mpmath.mpf(100) * mpmath.npdf(100) < 1e-300
    yield "(the products at infinite bounds are 0)"
    plain, skewed = truncated_stddev(-2.0, 2.0), truncated_stddev(-1.0, 3.0)
    yield f"For -2 and 2 it is {plain:.17f} = `0x{floats.encode(plain, floats.FLOAT64):X}`"
    yield f"for -1 and 3 it is {skewed!r} = `0x{floats.encode(skewed, floats.FLOAT64):X}`"
    assert element(Tensor("variance_scaling", "float64", (2,), {"lower": -1.0, "upper": 3.0}), 0)
    yield "not symmetric move the mean away from 0"


def fans_row(match: re.Match[str]) -> str:
    """Return a row of the table of fans, computed."""
    shape = tuple(map(int, re.findall(r"\d+", match[1])))
    axes = None
    if match[2] != "not named":
        named = [() if axis == "none" else (int(axis),) for axis in match[2].split(", ")]
        axes = FanAxes(*named)
    fans = fans_of(shape, axes)
    return f"| {match[1]} | {match[2]} | {fans.fan_in:g} | {fans.fan_out:g} |"


def holds_below(dtype: Dtype) -> tuple[str, float]:
    """Return how a floating dtype's row says what it holds, and the first magnitude that is not."""
    form = floats.FORMATS[dtype.value]
    last = floats.decode(floats.encode(dtype.largest, form) - 1, form)
    tie = dtype.largest + (dtype.largest - last) / 2
    return ("at most" if dtype.holds(tie) else "below"), tie


def refusals() -> Iterator[str]:
    yield f"There are at most {MAX_RANK} axes, with lengths from 0 to {power(MAX_BYTES)}."
    yield f"*that are not 0*, times the bytes of an element, is at most {power(MAX_BYTES)};"
    with pytest.raises(ValueError, match="shape"):
        TensorSpec("", (0, 2**63 - 1), "float16", INITIALIZERS["zeros"]())
    FanAxes(-3, 2).resolve(3)
    for axis in (-4, 3):
        with pytest.raises(ValueError, match="in_axis"):
            FanAxes(axis, 1).resolve(3)
    yield "A named axis is from -rank to rank - 1,"
    yield "`block_axis` is from -rank to rank - 1, none"
    yield "`0 <= start <= axis's length`"
    yield "`0 <= length <= axis's length - start`"
    for start, length in itertools.product(range(-1, 5), repeat=2):
        allowed = 0 <= start <= 3 and 0 <= length <= 3 - start
        assert is_allowed(TensorSlice((start,), (length,)).check, (3,)) is allowed
    for dtype in FLOATING:
        largest = power(int(dtype.largest)) if dtype.largest > 65504 else f"{dtype.largest:g}"
        if dtype is Dtype.FLOAT64:
            yield f"| float64 | {dtype.itemsize} | {largest} | all |"
            continue
        relation, tie = holds_below(dtype)
        single = "" if dtype is Dtype.FLOAT32 else "`float32(x)` "
        limit = power(int(tie)) if tie > 65536 else f"{tie:.10g}"
        yield f"| {dtype.value} | {dtype.itemsize} | {largest} | {single}{relation} {limit} |"
        real = np.float64 if dtype is Dtype.FLOAT32 else np.float32
        before, after = (float(np.nextafter(real(tie), real(to))) for to in (0, INF))
        assert dtype.holds(before)
        assert not dtype.holds(after)
    assert [n for n in range(-3, 4) if Dtype.BOOL.holds(n)] == [0, 1]
    assert Dtype.BOOL.holds(-0.0)
    assert Dtype.UINT8.holds(-0.0)
    yield "bool 0 and 1 (-0 counts as 0)"
    yield f"it is from {power(-(2**63))} to {power(2**64 - 1)}"
    for name, initializer, shape in (
        ("groups", "dirac", (1, 1, 0)),
        ("blocks", "orthogonal", (1, 0)),
    ):
        for count in (0, 1, 2**63 - 1, 2**63):
            made = is_allowed(fill, initializer, shape, **{name: count})
            assert made is (1 <= count <= 2**63 - 1)
        yield f"`{name}` is from 1 to {power(2**63 - 1)}"
    TensorSpec("", (3, 0), "float32", INITIALIZERS["orthogonal"](), 0, fan_axes=FanAxes((), (), ()))
    yield "unless `blocks` = 1 and `block_axis` = -1:"
    sparse: Any = INITIALIZERS["sparse"]
    axes = [axis for axis in range(-5, 5) if is_allowed(sparse, sparsity=0.5, axis=axis)]
    assert axes == list(range(axes[0], axes[-1] + 1))
    yield f"`axis` is from {axes[0]} to {axes[-1]}"
    yield f"a length of at most {power(MAX_LINE)}"
    for lower, upper in ((-1.0, 3.0), (-2.0, 2.5)):
        scaling = INITIALIZERS["variance_scaling"]
        assert not is_allowed(scaling, distribution="uniform", lower=lower, upper=upper)
    yield "`lower` = -2 and `upper` = 2 unless `distribution`"
    yield "For `variance_scaling`, `far` = 8 with the bounds -2 and 2,"
    gain = 1.5 * FARTHEST_NORMAL
    yield f"{FARTHEST_NORMAL:g} is farther out than any normal number"
    yield f"{gain:g} is {gain / FARTHEST_NORMAL:g} times that,"
    yield "for a standard deviation of at most sqrt(2) times the gain"
    assert math.sqrt(2) < gain / FARTHEST_NORMAL
    for lower, upper in (
        (-2.0, 2.0),
        (3.9, 4.0),
        (4.0, INF),
        (-14.0, -4.0),
        (4.0, 4.0 + 1e-9),
        (-0.5, 0.5),
    ):
        assert 8 / min(upper - lower, 1) > 1 / truncated_stddev(lower, upper)
    yield "`8 / min(upper - lower, 1)` is more than `1 / left`"


def fill(
    initializer: str, shape: tuple[int, ...], dtype: object = "float32", **values: Any
) -> TensorSpec:
    """Return the spec of a tensor."""
    return TensorSpec("", shape, dtype, INITIALIZERS[initializer](**values), 0)


def is_allowed(make: Callable[..., object], *arguments: Any, **named: Any) -> bool:
    """Return whether a call is not refused."""
    try:
        make(*arguments, **named)
    except ValueError:
        return False
    return True


def constants() -> Iterator[str]:
    zeros, ones = (element(Tensor(name, "float32", (1,)), 0) for name in ("zeros", "ones"))
    yield f"fill the tensor with {zeros:g}, {ones:g} and `value`"
    kernel = Tensor("dirac", "float32", (5, 2, 4), {"groups": 2})
    values = np.array([element(kernel, i) for i in range(40)]).reshape(5, 2, 4)
    expected = np.zeros((5, 2, 4))
    for output in range(4):
        expected[5 // 2, output % (4 // 2), output] = 1
    assert (values == expected).all()
    (row,), (column,) = FanAxes().in_axis, FanAxes().out_axis
    yield f"one as output ({row} and {column} where no axes are named); the others are spatial."
    yield "An element is 1 where each spatial index is `length div 2` of its axis"
    yield f"(so 464 becomes {floats.round_to(464.0, floats.FLOAT8_E4M3FN):g} in float8_e4m3fn)"
    assert Dtype.FLOAT8_E4M3FN.rounded(464.0) == 448
    yield f"int64 has {2**53 + 1} = 2**53 + 1, which no float64 is"
    assert float(2**53 + 1) != 2**53 + 1


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


def scientific(number: float, digits: int) -> str:
    """Return a small number as the page writes it, such as 5e-7."""
    return f"{number:.{digits}e}".replace("e-0", "e-")


def hexadecimal(numbers: Iterable[int]) -> str:
    """Return uint32 numbers as the page prints them."""
    return ", ".join(f"0x{number:08X}" for number in numbers)


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


WINDOWS = [*windows.COSINE_SERIES, *windows._FORMULAS]  # all that there are
FORMULA = re.compile(
    r"^\| ([\w, ]+) \| (?:with `x = ([^`]+)`: |the sum over k of )?`([^`]+)`.*\|$", re.MULTILINE
)


def formulas() -> Iterator[Span]:
    """Compute the windows by the table's formulas, and yield where those are."""
    start, end = document.sections()["5.1"]
    seen = []
    for match in FORMULA.finditer(TEXT, TEXT.index("| `window` | `w(t)`", start), end):
        for name in match[1].split(", "):
            seen.append(name)
            for n, periodic in ((7, False), (8, False), (7, True)):
                exact = windows.window_values(name, n, periodic=periodic)
                with mpmath.workdps(40):
                    for t, value in enumerate(exact):
                        found = window_value(match, name, t, n + periodic)
                        assert abs(found - mpmath.mpf(value) / ONE) < 1e-30
        yield match.span()
    assert sorted(seen) == sorted(WINDOWS)


def window_value(match: re.Match[str], name: str, t: int, m: int) -> mpmath.mpf:
    """Return w(t) by the formula of a row."""
    names = {"pi": +mpmath.pi, "cos": mpmath.cos, "sin": mpmath.sin, "t": mpmath.mpf(t), "M": m}
    names["d"] = mpmath.mpf(abs(2 * t - (m - 1)))
    if match[2]:
        names["x"] = evaluate(match[2], **names)
    exact = re.sub(r"\d+\.\d+", r"decimal('\g<0>')", match[3])
    if name not in windows.COSINE_SERIES:
        return evaluate(exact, decimal=mpmath.mpf, **names)
    a = [mpmath.mpf(value) / 10**9 for value in windows.COSINE_SERIES[name]]
    return mpmath.fsum(evaluate(exact, k=k, a=a, **names) for k in range(len(a)))


def gains() -> Iterator[Span]:
    """Compute the gains by the table's formulas, and yield where those are."""
    head = re.search(r"^\| `nonlinearity` \| (.*) \|$", TEXT, re.MULTILINE)
    row = re.search(r"^\| `g` \| (.*) \|$", TEXT, re.MULTILINE)
    assert head
    assert row
    for names, formula in zip(head[1].split(" | "), row[1].split(" | "), strict=True):
        for name in names.split(", "):
            for slope in (0.0, 0.3, -2.0):
                kind: Any = name
                assert evaluate(formula.strip("`"), a=slope) == calculate_gain(kind, slope)
    yield row.span()


def float8_bits() -> Iterator[Span]:
    """Round by the table's formulas, and yield where those are."""
    rows = re.finditer(
        r"^\| (float8_\w+) \| `m < (\w+)`: `([^`]+)`; else `([^`]+)`; then at most `(\w+)` \|$",
        TEXT,
        re.MULTILINE,
    )
    count = 0
    for match in rows:
        form = floats.FORMATS[match[1]]
        bits = np.random.default_rng(4).integers(0, 0x7F800000, 3000)
        edges = [int(match[2], 16) + n for n in range(-3, 4)] + [0, 1, 0x7F7FFFFF]
        for m in map(int, [*bits, *edges]):
            formula = match[3] if m < int(match[2], 16) else match[4]
            found = evaluate(
                formula,
                m=m,
                bits=lambda x: floats.encode(float(x), floats.FLOAT32),
                from_bits=lambda n: Single(floats.decode(n, floats.FLOAT32)),
            )
            value = floats.round_to(floats.decode(m, floats.FLOAT32), form)
            assert min(found, int(match[5], 16)) == floats.encode(value, form)
        count += 1
        yield match.span()
    assert count == 2


CONDITION = re.compile(
    r"`([^`]+)`(?: and `([^`]+)`)? (?:is|are) at most (?:the )?`(\w+)`( of the computing type)?"
    r"|`([^`]+)` is (finite)|`([^`]* [<>]=? [^`]*)`"
)
OF_SHAPES = {"constant", "identity", "dirac", "stft"}
"""Initializers that a row of the table refuses for no number, or only for what a dtype holds."""


def conditions() -> Iterator[Span]:
    """Compare what the table refuses with what the service does, and yield the conditions."""
    start, end = document.sections()["4.1"]
    for row in re.finditer(r"^\| ((?:`\w+`(?:, )?)+) \| (.*) \|$", TEXT[start:end], re.MULTILINE):
        found = list(CONDITION.finditer(TEXT, start + row.start(2), start + row.end(2)))
        yield from (match.span() for match in found)
        rules = [rule for match in found for rule in as_rules(match)]
        if "the same" in row[2]:
            rules += ["abs(mean) + 11 * stddev <= reach", "abs(mean) <= largest", "stddev >= 0"]
        for name in set(re.findall(r"`(\w+)`", row[1])) - OF_SHAPES:
            compare_refusals(name, rules)


def as_rules(match: re.Match[str]) -> list[str]:
    """Return the comparisons that a piece of the table stands for."""
    first, second, limit, computing, product, _, comparison = match.groups()
    if comparison:
        return [comparison]
    if product:
        return [f"{product} < infinity"]
    limit = "computing" if computing else limit
    return [f"{expression} <= {limit}" for expression in (first, second) if expression]


def compare_refusals(name: str, rules: list[str]) -> None:
    """Compare for many parameters, around the borders of each dtype."""
    spec, counts = INITIALIZERS[name], {True: 0, False: 0}
    for dtype in FLOATING:
        largest = dtype.largest
        reach = LARGEST[Dtype.FLOAT32] if dtype.saturates else largest
        limits = {"largest": largest, "reach": reach, "infinity": INF}
        limits["computing"] = LARGEST[Dtype.FLOAT64 if dtype is Dtype.FLOAT64 else Dtype.FLOAT32]
        for values in tried(spec, largest, reach):
            given = {
                field.name: values.get(field.name, field.default) for field in parameters(spec)
            }
            names = {"abs": abs, "sqrt": math.sqrt, **limits, **given}
            if "lower" in given and "scale" in given:
                names["far"] = far(given["lower"], given["upper"])
            allowed = all(safely(rule, names) for rule in rules)
            shape = (1, 1, 1) if name == "delta_orthogonal" else (1, 1)
            made = is_allowed(fill, name, shape, dtype, **values)
            assert made is allowed, (name, dtype, values)
            counts[allowed] += 1
    assert min(counts.values()) > 0 or not rules, name


def safely(rule: str, names: dict[str, Any]) -> bool:
    """Return whether a comparison holds; that of a root of a negative number does not."""
    try:
        return bool(evaluate(rule, **names))
    except ValueError:
        return False


def far(lower: float, upper: float) -> float:
    """Return the page's ``far``."""
    begin, end = code_blocks()["4.1", 0]
    if (lower, upper) == (-2.0, 2.0) or not lower < upper:
        return 8.0
    return float(run(TEXT[begin:end], lower=lower, upper=upper)["far"])


def tried(spec: type[InitializerSpec], largest: float, reach: float) -> Iterator[dict[str, Any]]:
    """Yield parameters around every border."""
    borders = [
        largest,
        largest / 2,
        reach,
        reach / 11,
        reach / 16.5,
        reach / 8 * (reach / 8),
        1e308,
        1.4e154,
    ]
    near = [
        n for x in borders for n in (x, math.nextafter(x, INF), math.nextafter(x, 0)) if n < INF
    ]
    numbers = [0.0, 1.0, -1.0, *near, *(-n for n in near[:6])]
    fields = {field.name for field in parameters(spec)}
    for name in fields & {"scale", "gain", "a", "stddev", "mean", "minval", "maxval"}:
        required = {"sparsity": 0.5} if "sparsity" in fields else {}
        yield from ({name: number} | required for number in numbers)
    if "sparsity" in fields:
        yield from ({"sparsity": x} for x in (-1e-9, -0.0, 0.0, 0.5, 1.0, 1.0000001))
    if "mean" in fields:
        for mean, part in itertools.product((0.0, largest / 3, -largest), (0.99, 1.0, 1.01)):
            yield {"mean": mean, "stddev": part * (reach - abs(mean)) / 11}
    if "minval" in fields:
        yield from ({"minval": a, "maxval": b} for a, b in itertools.product(numbers, repeat=2))
    if "lower" in fields:
        ends = (
            -INF,
            -20.0,
            -4.0,
            -math.nextafter(4, 5),
            -1.0,
            0.0,
            3.5,
            4.0,
            math.nextafter(4, 5),
            INF,
        )
        yield from ({"lower": a, "upper": b} for a, b in itertools.product(ends, repeat=2))
    if "scale" in fields:
        for a, b in ((-1.0, 3.0), (0.0, 0.25), (-INF, 20.0)):
            border = reach / far(a, b) * (reach / far(a, b))
            scales = (border * 0.999, border * 1.001)
            yield from ({"lower": a, "upper": b, "scale": x} for x in scales if x < INF)


def code() -> Iterator[Span]:
    """Yield the numbers of the blocks that test_numerics_code.py runs."""
    for place, (begin, end) in code_blocks().items():
        if place in RUNS:
            yield from (match.span() for match in numbers_of_code(begin, end))


def tables() -> Iterator[Span]:
    """Compare the tables of coefficients with the kernels', and yield where they are."""
    for name, coefficients in document.tables().items():
        assert coefficients == getattr(normal_coefficients, name)
    for match in re.finditer(
        r"^\| \d+ \| `\S+` \| `0x\w+` \|$", document.section("14"), re.MULTILINE
    ):
        start = document.sections()["14"][0]
        yield start + match.start(), start + match.end()


def exempt() -> Iterator[Span]:
    """Yield the pieces of the page that EXEMPT excuses."""
    for expression in EXEMPT:
        yield from (match.span() for match in re.finditer(expression, TEXT, re.MULTILINE))


def claimed() -> Iterator[Span]:
    """Yield where claims are."""
    for claim in claims():
        yield from (match.span() for match in re.finditer(pattern(claim), TEXT))


def test_what_is_claimed_is_on_the_page() -> None:
    missing = [claim for claim in claims() if not re.search(pattern(claim), TEXT)]
    assert missing == []


def test_every_number_is_computed() -> None:
    computed = (claimed, code, tables, formulas, gains, float8_bits, conditions, exempt)
    inside = {place for spans in computed for start, end in spans() for place in range(start, end)}
    left = [
        f"line {TEXT.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for match in NUMBER.finditer(TEXT)
        if match.start() not in inside
    ]
    assert left == [], "\n".join(left)


def test_links_lead_somewhere() -> None:
    sections = document.sections()
    assert list(sections) == sorted(sections, key=lambda number: [*map(int, number.split("."))])
    for reference in re.findall(r"[Ss]ections? (\d+(?:\.\d)?)", TEXT):
        assert reference in sections
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert re.findall(r"\]\(#([^)]+)\)", TEXT) == anchors


def test_the_golden_file_has_the_fields_and_types_that_the_page_lists() -> None:
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| ([\w ]+) \|", document.section("13"), re.MULTILINE
    )
    types = {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    kinds = {"string": str, "strings": str, "object": dict, "integer": int, "true": bool}
    python = {name: kinds.get(kind, list) for name, kind in types.items()}
    file = json.loads(write_golden.PATH.read_text(encoding="utf-8"))
    entries = file["tensors"]
    assert {*file, *itertools.chain(*entries)} == set(types) - {"periodic"}
    for part in (file, *entries):
        assert all(type(value) is python[name] for name, value in part.items())
    for entry in entries:
        assert entry.get("fan_axes", {}).keys() in (set(), {"in_axis", "out_axis", "batch_axis"})
        for name, value in entry.get("parameters", {}).items():
            assert json_kind(name, value), (name, value)


def json_kind(name: str, value: object) -> bool:
    """Return whether a parameter's value has the JSON type that the page says."""
    integers = {"groups", "blocks", "block_axis", "axis"}
    words_of = {"mode", "distribution", "nonlinearity", "side", "window", "scaling"}
    match value:
        case bool():
            return name == "periodic"
        case int():
            return name in integers
        case float():
            return name not in integers | words_of | {"periodic"}
        case "inf" | "-inf":
            return name in {"lower", "upper"}
        case str() if re.fullmatch(r"-?\d+", value):
            return name == "value"
    return name in words_of


@pytest.mark.parametrize(
    ("initializer", "shape", "allowed"),
    [
        ("dirac", (2, 3, 4, 5), False),
        ("delta_orthogonal", (2, 3, 4, 5), False),
        ("identity", (2, 3, 4), True),
        ("orthogonal", (2, 3, 4), True),
        ("glorot_uniform", (2, 3, 4), True),
    ],
)
def test_batch_axes_alone_name_no_inputs_and_outputs(
    initializer: str, shape: tuple[int, ...], allowed: bool
) -> None:
    spec, alone = INITIALIZERS[initializer](), FanAxes((), (), 0)
    made = is_allowed(TensorSpec, "", shape, "float32", spec, 0, fan_axes=alone)
    assert made is allowed
    assert is_allowed(TensorSpec, "", shape[-3:], "float32", INITIALIZERS["dirac"]())
