"""Charts of the last minutes, as SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seedbed_server.admin.history import POINTS

WIDTH = POINTS - 1
HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    label: str
    values: Sequence[float]


def chart(series: Sequence[Series], show: Callable[[float], str], unit: str) -> str:
    """Return a chart of lines whose newest values are at its right edge.

    Args:
        series: one line each; the first one stands on an area.
        show: returns a value as text.
        unit: tells the page's script the same.
    """
    top = nice(max((max(each.values, default=0.0) for each in series), default=0.0))
    # It is stretched to its place: lines keep their width by a rule of the style sheet.
    lines = "".join(
        f'<path class="line line-{index}" d="{_line(each.values, top)}" '
        f'data-label="{each.label}" data-values="{" ".join(f"{v:.4g}" for v in each.values)}"/>'
        for index, each in enumerate(series)
    )
    return (
        f'<span class="top">{show(top)}</span>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true" '
        f'data-top="{top:g}" data-unit="{unit}">'
        f'<path class="grid" d="M0 0H{WIDTH}M0 {HEIGHT / 2:g}H{WIDTH}M0 {HEIGHT}H{WIDTH}"/>'
        f'<path class="area" d="{_area(series[0].values, top)}"/>{lines}</svg>'
    )


def nice(value: float) -> float:
    """Return the end of a scale for values up to one: 1, 2 or 5 times a power of ten."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _points(values: Sequence[float], top: float) -> list[str]:
    first = POINTS - len(values)
    return [
        f"{first + i} {HEIGHT * (1 - value / top):.1f}".removesuffix(".0")
        for i, value in enumerate(values)
    ]


def _line(values: Sequence[float], top: float) -> str:
    points = _points(values, top)
    return "M" + "L".join(points) if points else ""


def _area(values: Sequence[float], top: float) -> str:
    if not values:
        return ""
    return f"M{POINTS - len(values)} {HEIGHT}L{'L'.join(_points(values, top))}V{HEIGHT}Z"
