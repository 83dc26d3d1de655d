"""A picture of the results: how many times as fast as the best peer seedbed is."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.result import OURS, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FASTER_COLOR, SLOWER_COLOR = "#4c9a6a", "#d9822b"
TEXT_COLOR, MUTED_COLOR, LINE_COLOR = "#333333", "#777777", "#444444"
FIGURE_INCHES = 11.0
INCHES_PER_BAR = 0.36
# About what is left for the bars and their labels beside the titles, and what a letter takes.
AXES_INCHES = 6.5
LETTER_INCHES = 0.073
LABEL_GAP_INCHES = 0.2
# Between the longest bar to the left and the titles, as a factor.
LEFT_ROOM = 1.15
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(path: Path, results: Sequence[Result]) -> None:
    """Write the picture of the results that have a peer which is not seedbed itself."""
    from matplotlib.figure import Figure

    shown = [result for result in results if _is_shown(result)]
    figure = Figure(
        figsize=(FIGURE_INCHES, 1.5 + INCHES_PER_BAR * max(1, len(shown))),
        dpi=150,
        layout="constrained",
    )
    axes = figure.add_subplot()
    _draw_bars(axes, shown)
    _dress(axes, shown)
    figure.savefig(path, facecolor="white")


def _is_shown(result: Result) -> bool:
    has_bar = result.bar is not None and result.bar_on == "ratio"
    return has_bar and bool(result.ratios) and not result.peers[0].startswith(OURS)


def _draw_bars(axes: "Axes", shown: Sequence[Result]) -> None:
    for place, result in enumerate(shown):
        speedup = _speedup(result)
        color = FASTER_COLOR if speedup >= 1 else SLOWER_COLOR
        axes.barh(place, speedup - 1, left=1, height=0.7, color=color)
        # Always right of the line at 1, where there is room.
        axes.annotate(
            _label(result),
            (max(speedup, 1.0), place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            color=TEXT_COLOR,
        )


def _speedup(result: Result) -> float:
    return median(result.speedups(result.peers[0]))


def _label(result: Result) -> str:
    """Return the figure, the peer, and the range over the rounds."""
    speedups = result.speedups(result.peers[0])
    spread = f"{_times(min(speedups))} to {_times(max(speedups))}"
    return f"{_times(median(speedups))}x {result.peers[0]}  ({spread})"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"


def _reach(result: Result, low: float) -> float:
    """Return how far the axis, from ``low``, must go for a label to end inside the picture."""
    inches = LABEL_GAP_INCHES + LETTER_INCHES * len(_label(result))
    decades = math.log10(max(_speedup(result), 1.0) / low)
    return float(low * 10 ** (decades * AXES_INCHES / (AXES_INCHES - inches)))


def _dress(axes: "Axes", shown: Sequence[Result]) -> None:
    speedups = [1.0, *map(_speedup, shown)]
    low = min(speedups) / LEFT_ROOM
    axes.set_xscale("log")
    axes.set_xlim(low, max([2 * max(speedups), *(_reach(result, low) for result in shown)]))
    ticks = [tick for tick in TICKS if low <= tick <= max(speedups)]
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks], fontsize=10)
    axes.minorticks_off()
    axes.set_yticks(range(len(shown)), [result.title for result in shown], fontsize=10)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(colors=TEXT_COLOR, length=0)
    axes.axvline(1.0, color=LINE_COLOR, linewidth=1.4)
    axes.set_xlabel(
        "times as fast, on a logarithmic scale; in brackets, the range over the rounds;\n"
        "left of the line, the alternative is faster",
        color=MUTED_COLOR,
        fontsize=10,
        loc="left",
    )
    for spine in axes.spines.values():
        spine.set_visible(False)
    title = "seedbed's speed, as a multiple of the fastest alternative's"
    axes.figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold", color=TEXT_COLOR)
