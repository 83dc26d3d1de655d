"""Bars of few different values: how many elements each has, beside its exact probability."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seedbed.reports.distributions import Exact
from seedbed.reports.pictures import colors
from seedbed.reports.text import count_text
from seedbed.spec.dtypes import Dtype

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More are a histogram.
MAX_BARS = 12
BAR_WIDTH = 0.6
# A rounded uniform number of another type may be the end.
END_EXCLUDED = (Dtype.FLOAT32, Dtype.FLOAT64)
# More labels beside each other would overlap.
LEVEL_LABELS = 6


def draw_bars(axes: "Axes", counts: Mapping[Any, int], exact: Exact | None, dtype: Dtype) -> None:
    """Draw one bar for each value, all equally far apart."""
    places, total = range(len(counts)), sum(counts.values())
    values = f"{len(counts)} different values" if len(counts) > 1 else "all equal"
    label = f"{count_text(total, 'element')}, {values}"
    axes.bar(places, list(counts.values()), BAR_WIDTH, color=colors.SAMPLE, label=label)
    for place, count in enumerate(counts.values()):
        share = "" if count == total else f"\n{100 * count / total:.3g} %"
        axes.annotate(
            f"{count:,}{share}",
            (place, count),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=colors.TEXT,
        )
    if exact is not None:
        expected = [total * probability(exact, value, dtype) for value in counts]
        axes.plot(places, expected, "_", color=colors.DENSITY, markersize=28, markeredgewidth=2)
        axes.plot([], [], color=colors.DENSITY, linewidth=2, label=f"exact: {exact.label}, rounded")
    labels = [value_text(value, dtype) for value in counts]
    axes.set_xticks(places, labels, rotation=0 if len(counts) <= LEVEL_LABELS else 30)
    # A single value's bar is no wall.
    axes.set_xlim(*((-1.5, 1.5) if len(counts) == 1 else (-0.7, len(counts) - 0.3)))
    axes.set_ylabel("elements", color=colors.TEXT)


def value_text(value: Any, dtype: Dtype) -> str:
    """Return a value with as many digits as tell it from its neighbours."""
    if not dtype.is_floating:
        return str(value)
    texts = (f"{value:.{digits}g}" for digits in range(1, 18))
    kind = dtype.numpy.type
    shortest = next((text for text in texts if kind(float(text)) == kind(value)), str(value))
    return f"{float(shortest):.15g}"  # 1000, not 1e+03


def probability(exact: Exact, value: float, dtype: Dtype) -> float:
    """Return the probability of all numbers that are rounded to a value."""
    if not math.isfinite(value):
        return 0.0
    lower, upper = (_neighbour(value, towards, dtype) for towards in (-math.inf, math.inf))
    low = (value + lower) / 2 if math.isfinite(lower) else -math.inf
    high = (value + upper) / 2 if math.isfinite(upper) else math.inf
    if dtype in END_EXCLUDED and not exact.scale and upper >= exact.high:
        high = math.inf  # what is rounded to a uniform's end becomes the number before it
    return exact.probability(low, high)


def _neighbour(value: float, towards: float, dtype: Dtype) -> float:
    # Beyond the largest value there is infinity, or NaN where there is none.
    kind = dtype.numpy.type
    end = dtype.largest if dtype.saturates else math.inf
    if abs(value) == dtype.largest and (value > 0) == (towards > 0):
        return towards
    return float(np.nextafter(kind(value), kind(math.copysign(end, towards))))
