"""A sample's histogram, drawn over the exact density that it comes from."""

import importlib.util
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seedbed.cli.output_file import checked_output, unfinished
from seedbed.cli.result import CommandError
from seedbed.reports.distributions import Exact, exact_distribution
from seedbed.reports.figures import fans_text, initializer_text
from seedbed.reports.moments import moments_of
from seedbed.reports.text import printable, shape_text
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import TensorDescription
from seedbed.spec.tensors import TensorSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")
MIN_BINS, MAX_BINS = 20, 100
# More elements change a histogram by less than a pixel, and cost memory.
MAX_DRAWN_ELEMENTS = 2**22
# How far beyond the distribution's ends the picture goes, as a part of its width.
MARGIN = 0.06

# The distance from 1 to the next number of a float of 16 or 8 bits, whose numbers are few enough to
# show.
_EPSILONS = {
    Dtype.FLOAT16: 2.0**-10,
    Dtype.BFLOAT16: 2.0**-7,
    Dtype.FLOAT8_E4M3FN: 2.0**-3,
    Dtype.FLOAT8_E5M2: 2.0**-2,
}

SAMPLE_COLOR = "#9ecae1"
DENSITY_COLOR = "#d94801"
TEXT_COLOR = "#333333"
MUTED_COLOR = "#777777"


def checked_plot(path: str | None) -> Path | None:
    """Return where the picture is to go, checked before any work is done.

    Raises:
        InvalidValueError: if the format is unknown.
        CommandError: if matplotlib is missing, or the place is not fit for a file.
    """
    if path is None:
        return None
    if Path(path).suffix not in FORMATS:
        raise InvalidValueError(f"--plot must end in {', '.join(FORMATS)}. Received: {path!r}")
    if importlib.util.find_spec("matplotlib") is None:
        raise CommandError("--plot needs matplotlib: pip install 'seedbed[plot]'")
    return checked_output(path)


def draw(path: Path, array: NDArray[Any], spec: TensorSpec, description: TensorDescription) -> None:
    """Write the picture of a sample."""
    from matplotlib.figure import Figure  # takes a second; only who wants a picture pays for it

    figure = Figure(figsize=(8, 4.8), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    exact = exact_distribution(description)
    sample = _drawn(array)
    if sample.size:
        _draw_sample(axes, sample, exact, description.dtype)
    if exact is not None:
        _draw_density(axes, exact)
    _dress(axes, spec, description, "density" if exact is not None else "elements per bin")
    with unfinished(path) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name's letters that the font lacks
        figure.savefig(partial, format=path.suffix[1:])


def _drawn(array: NDArray[Any]) -> NDArray[np.float64]:
    flat = array.reshape(-1)
    step = -(-flat.size // MAX_DRAWN_ELEMENTS) or 1
    return flat[::step].astype(np.float64)


def _draw_sample(
    axes: "Axes", sample: NDArray[np.float64], exact: Exact | None, dtype: Dtype
) -> None:
    low, high = exact.shown if exact is not None else _range(sample)
    bins = min(MAX_BINS, max(MIN_BINS, math.isqrt(sample.size)))
    edges = bin_edges(low, high, dtype, bins)
    # A number on an edge counts half for each side; the 16-bit and 8-bit floats have such.
    counts = (np.histogram(sample, edges)[0] + np.histogram(-sample, -edges[::-1])[0][::-1]) / 2
    # Of all elements, so that the area is that of the density, and numbers outside the picture are
    # not lost.
    heights = counts / (sample.size * np.diff(edges)) if exact is not None else counts
    axes.stairs(heights, edges, fill=True, color=SAMPLE_COLOR, label=f"sample of {sample.size:,}")
    if exact is None:
        moments = moments_of(sample)
        axes.plot([], [], " ", label=f"mean {moments.mean:.4g}, std {moments.std:.4g}")


def _draw_density(axes: "Axes", exact: Exact) -> None:
    low, high = exact.shown
    margin = MARGIN * (high - low)
    inner = np.linspace(low, high, 801)
    # The steps at the ends of a bounded distribution are drawn as steps.
    x = np.concatenate([[low - margin, low], inner, [high, high + margin]])
    outside_low = 0.0 if math.isfinite(exact.low) else np.nan
    outside_high = 0.0 if math.isfinite(exact.high) else np.nan
    y = np.concatenate([[outside_low] * 2, exact.density(inner), [outside_high] * 2])
    axes.plot(x, y, color=DENSITY_COLOR, linewidth=1.8, label=f"exact: {exact.label}")
    axes.set_xlim(low - margin, high + margin)


def _dress(axes: "Axes", spec: TensorSpec, description: TensorDescription, y_label: str) -> None:
    axes.set_xlabel("value of an element", color=TEXT_COLOR)
    axes.set_ylabel(y_label, color=TEXT_COLOR)
    axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.22)  # room for the legend
    if axes.get_legend_handles_labels()[0]:  # a sample without elements has nothing to explain
        axes.legend(loc="upper left", frameon=False, fontsize=9, labelcolor=TEXT_COLOR)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=TEXT_COLOR)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    details = [f"shape {shape_text(spec.shape)}", spec.dtype.value]
    if spec.initializer.random:
        details.append(f"seed {spec.seed}" + (f", draw {spec.draw}" if spec.draw else ""))
    if spec.name:
        details.append(_shortened(printable(spec.name)))
    if fans_text(description):
        details.append("fans " + fans_text(description))
    # No mathematics: a name may hold dollars.
    axes.set_title(
        "   ·   ".join(details), loc="left", fontsize=9, color=MUTED_COLOR, pad=8, parse_math=False
    )
    title = _shortened(initializer_text(spec.initializer), 70)
    axes.figure.suptitle(
        title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=TEXT_COLOR, parse_math=False
    )


def _shortened(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _range(sample: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(sample.min()), float(sample.max())
    if low < high:
        return low, high
    reach = abs(low) / 10 or 1.0
    return low - reach, high + reach


def bin_edges(low: float, high: float, dtype: Dtype, bins: int) -> NDArray[np.float64]:
    """Return the edges of bins that hold equally many representable numbers each.

    A 16-bit float has few numbers, an 8-bit one fewer: bins of any other width hold now three, now
    four of them, which would look like a comb that the sample does not have.
    """
    width = (high - low) / bins
    if dtype in _EPSILONS:
        largest = max(abs(low), abs(high))
        spacing = 2.0 ** math.floor(math.log2(largest)) * _EPSILONS[dtype]
        width = max(1, round(width / spacing)) * spacing
        first = math.floor(low / width) * width - spacing / 2
        return np.asarray(
            first + width * np.arange(math.ceil((high - first) / width + 1)), np.float64
        )
    return np.linspace(low, high, bins + 1)
