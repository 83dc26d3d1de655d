"""The formulas in the tables of docs/numerics.md, compared with the kernels."""

import re
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np

from seedbed.spec.gains import calculate_gain
from seedbed_server.kernels import windows
from seedbed_server.kernels.turns import ONE
from tests.golden.page_claims_of_values import WINDOWS
from tests.reference import document, floats
from tests.reference.pseudocode import Single, evaluate

TEXT = document.text()
Span = tuple[int, int]
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
