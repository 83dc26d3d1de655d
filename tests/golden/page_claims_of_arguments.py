"""What docs/numerics.md says of arguments, with numbers computed from the code."""

import dataclasses
import hashlib
import inspect
import itertools
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.fans import FanAxes, compute_fans, fans_of
from seedbed.spec.initializers import INITIALIZERS, FixedScalingSpec, parameters
from seedbed.spec.initializers.base import FARTHEST_NORMAL
from seedbed.spec.initializers.sparse import MAX_LINE
from seedbed.spec.seeds import MAX_DRAW, MAX_SEED, MIN_SEED
from seedbed.spec.shapes import MAX_BYTES, MAX_RANK
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import MAX_NAME_BYTES, TensorSpec
from seedbed_server.kernels import rounding
from seedbed_server.kernels.bounds import truncated_stddev
from seedbed_server.kernels.keys import DOMAIN, derive_second_key
from seedbed_server.sampling.derivation import FARTHEST_BOUND
from tests.golden.page_notation import power, written
from tests.golden.page_specs import fill, is_allowed
from tests.reference import document, floats, words
from tests.reference.oracle import Tensor, element

TEXT = document.text()
INF = math.inf


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
