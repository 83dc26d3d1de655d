"""The parameters that docs/numerics.md refuses, compared with what the code refuses."""

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

from seedbed.spec.dtypes import FLOATING, LARGEST, Dtype
from seedbed.spec.initializers import INITIALIZERS, InitializerSpec, parameters
from tests.golden.page_specs import fill, is_allowed
from tests.golden.test_numerics_code import code_blocks
from tests.reference import document
from tests.reference.pseudocode import evaluate, run

TEXT = document.text()
INF = math.inf
Span = tuple[int, int]
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
