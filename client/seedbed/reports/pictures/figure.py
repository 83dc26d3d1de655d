"""The picture of a sample: its content by kind, and what it is."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.distributions import Exact, exact_distribution
from seedbed.reports.figures import fans_text, initializer_text
from seedbed.reports.pictures import colors
from seedbed.reports.pictures.bars import MAX_BARS, draw_bars
from seedbed.reports.pictures.distinct import counts_of_few
from seedbed.reports.pictures.histogram import draw_histogram
from seedbed.reports.pictures.lettering import drawable, wrapped
from seedbed.reports.pictures.marks import MAX_MARKS, draw_marks
from seedbed.reports.pictures.matrix import draw_matrix
from seedbed.reports.text import count_text, printable, shortened, sides_text
from seedbed.spec.info import TensorDescription
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More elements change a histogram by less than a pixel, and cost memory.
MAX_DRAWN_ELEMENTS = 2**22
# How far beyond the distribution's ends the picture goes, as a part of its width.
MARGIN = 0.06
# What fits into the title; longer names and shapes are cut as well.
TITLE_LETTERS, DETAIL_LETTERS = 70, 60
# Ticks of matplotlib need numbers that are not next to the ends of float64.
EXTREME = 1e100
# Elements that have a place in their matrix, besides a value.
STRUCTURED = ("diagonal", "orthogonal", "sparse", None)


def figure_of(
    array: NDArray[Any],
    spec: TensorSpec,
    description: TensorDescription,
    part: TensorSlice | None = None,
) -> "Figure":
    """Return the picture of a tensor, or of a part of it.

    Matrices with a structure are heat maps. Few different values are bars, and few elements are
    marks below their exact density. All others are a histogram over it.

    Args:
        array: the elements.
        spec: the whole tensor.
        description: of what the array holds.
        part: the rectangle that the array is; None is the whole.
    """
    from matplotlib.figure import Figure  # takes a second; only who wants a picture pays for it

    figure = Figure(figsize=(8, 4.8), dpi=150, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    exact = exact_distribution(description)
    if not array.size:
        _draw_nothing(axes)
    elif exact is None and description.distribution in STRUCTURED:
        draw_matrix(axes, array, spec, part)
    else:
        _draw_values(axes, array, exact, description)
    _dress(axes)
    _entitle(axes, spec, description, part)
    return figure


def _draw_nothing(axes: "Axes") -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no elements", ha="center", va="center", color=colors.MUTED, fontsize=14)


def _draw_values(
    axes: "Axes", array: NDArray[Any], exact: Exact | None, description: TensorDescription
) -> None:
    has_marks = exact is not None and array.size < MAX_MARKS
    # Without a density all elements have one value.
    counts = None if has_marks else counts_of_few(array, MAX_BARS)
    if exact is None or counts is not None:
        draw_bars(axes, counts or {}, exact, description.dtype)
        axes.set_xlabel("value of an element", color=colors.TEXT)
    else:
        sample, label = _drawn(array)
        unit = unit_of(*exact.shown)
        sample, exact = sample / unit, exact.in_units_of(unit)
        if has_marks:
            draw_marks(axes, sample, label)
        else:
            draw_histogram(axes, sample, exact, description.dtype, label)
        _draw_density(axes, exact, sample if has_marks else sample[:0])
        in_units = "" if unit == 1 else f", in units of {unit:g}"
        axes.set_xlabel("value of an element" + in_units, color=colors.TEXT)
    # Room for the legend.
    axes.set_ylim(bottom=0, top=(axes.get_ylim()[1] or 1.0) * 1.3)
    handles, labels = axes.get_legend_handles_labels()
    # The sample comes first, however it is drawn.
    order = sorted(range(len(labels)), key=lambda place: labels[place].startswith("exact"))
    axes.legend(
        [handles[place] for place in order],
        [labels[place] for place in order],
        loc="upper left",
        frameon=False,
        fontsize=9,
        labelcolor=colors.TEXT,
    )
    axes.grid(axis="y", color=colors.GRID, linewidth=0.8)


def _drawn(array: NDArray[Any]) -> tuple[NDArray[np.float64], str]:
    flat = array.reshape(-1)
    step = -(-flat.size // MAX_DRAWN_ELEMENTS)
    sample = flat[::step].astype(np.float64)
    label = count_text(flat.size, "element")
    if step > 1:
        label += f", {sample.size:,} of them drawn"
    finite = sample[np.isfinite(sample)]
    if finite.size < sample.size:
        label += f", {sample.size - finite.size:,} not finite"
    return finite, label


def _draw_density(axes: "Axes", exact: Exact, sample: NDArray[np.float64]) -> None:
    low, high = exact.shown
    # Elements that are marked one by one are all in the picture.
    low, high = sample.min(initial=low), sample.max(initial=high)
    margin = MARGIN * (high - low)
    inner = np.linspace(max(low, exact.low), min(high, exact.high), 801)
    # The steps at the ends of a bounded distribution are drawn as steps.
    x = np.concatenate([[low - margin, inner[0]], inner, [inner[-1], high + margin]])
    outside_low = 0.0 if math.isfinite(exact.low) else np.nan
    outside_high = 0.0 if math.isfinite(exact.high) else np.nan
    y = np.concatenate([[outside_low] * 2, exact.density(inner), [outside_high] * 2])
    axes.plot(x, y, color=colors.DENSITY, linewidth=1.8, label=f"exact: {exact.label}")
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylabel("density", color=colors.TEXT)


def unit_of(low: float, high: float) -> float:
    """Return the power of ten in which a picture counts: 1 for numbers that it can show."""
    if high - low > 1 / EXTREME and max(abs(low), abs(high)) < EXTREME:
        return 1.0
    return float(10.0 ** math.floor(math.log10(high - low)))


def _dress(axes: "Axes") -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=colors.TEXT)
    axes.set_axisbelow(True)


def _entitle(
    axes: "Axes", spec: TensorSpec, description: TensorDescription, part: TensorSlice | None
) -> None:
    details = [sides_text(spec.shape), spec.dtype.value]
    if part is not None:
        details[0] = f"part [{part_text(part)}] of {sides_text(spec.shape)}"
    if spec.initializer.random:
        details.append(f"seed {spec.seed}" + (f", draw {spec.draw}" if spec.draw else ""))
    if spec.name:
        details.append(drawable(printable(spec.name)))
    if fans_text(description):
        details.append("fans " + fans_text(description))
    details = [shortened(detail, DETAIL_LETTERS) for detail in details]
    # No mathematics: a name may hold dollars.
    axes.set_title(
        wrapped(details),
        loc="left",
        fontsize=9,
        color=colors.MUTED,
        pad=8,
        parse_math=False,
    )
    axes.figure.suptitle(
        shortened(initializer_text(spec.initializer), TITLE_LETTERS),
        x=0.01,
        ha="left",
        fontsize=13,
        fontweight="bold",
        color=colors.TEXT,
        parse_math=False,
    )


def part_text(part: TensorSlice) -> str:
    """Return a part as an index in Python, such as ``256:512, 0:64``."""
    return ", ".join(f"{each.start}:{each.stop}" for each in part.index)
