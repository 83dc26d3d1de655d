"""A picture of how fast seedbed is beside the fastest alternative for each task."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FASTER_COLOR, SLOWER_COLOR = "#4c9a6a", "#d9822b"
TEXT_COLOR, MUTED_COLOR, LINE_COLOR = "#333333", "#777777", "#444444"
INCHES_PER_LINE = 0.33
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
# Of the picture's axes: where the tasks and alternatives stand, which are texts beside the bars.
TASK_PLACE, PEER_PLACE = -1.1, -0.47
TITLE = "How fast seedbed is, compared with the fastest alternative"
NOTE = (
    "1x is as fast as the alternative: longer to the right is better, and left of the line the "
    "alternative is faster.\nThe figure is the median, the thin line the range over the rounds, "
    "the scale logarithmic."
)


def draw(path: Path, shown: Sequence[Comparison]) -> None:
    """Write the picture of comparisons, which are together by group."""
    from matplotlib.figure import Figure

    lines = len(shown) + 1.6 * len({each.group for each in shown}) + 1
    height = 1.4 + INCHES_PER_LINE * lines
    figure = Figure(figsize=(12, height), dpi=130, facecolor="white")
    # In inches: room for the texts to the left, the title above and the note below.
    axes = figure.add_axes((0.515, 0.95 / height, 0.455, 1 - 1.5 / height))
    place = 0.0
    for group, members in groupby(shown, lambda each: each.group):
        place += 0.8
        _write(axes, TASK_PLACE, place, group, fontweight="bold")
        for each in members:
            place += 1
            _draw_bar(axes, place, each)
        place += 0.8
    _dress(axes, shown, place)
    figure.text(0.015, 1 - 0.35 / height, TITLE, fontsize=15, fontweight="bold", color=TEXT_COLOR)
    figure.text(0.015, 0.12 / height, NOTE, fontsize=9.5, color=MUTED_COLOR, linespacing=1.4)
    figure.savefig(path)


def _draw_bar(axes: "Axes", place: float, each: Comparison) -> None:
    color = FASTER_COLOR if each.speedup >= 1 else SLOWER_COLOR
    axes.barh(place, each.speedup - 1, left=1, height=0.62, color=color)
    axes.plot([each.slowest, each.fastest], [place, place], color=LINE_COLOR, linewidth=1)
    axes.annotate(
        f"{times(each.speedup)}x",
        # Right of all that is drawn.
        (max(each.speedup, each.fastest, 1.0), place),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=10.5,
        fontweight="bold",
        color=color,
    )
    _write(axes, TASK_PLACE, place, each.task)
    _write(axes, PEER_PLACE, place, each.peer, color=MUTED_COLOR)


def times(ratio: float) -> str:
    """Return a ratio with the digits that matter."""
    return f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"


def _write(
    axes: "Axes", x: float, place: float, text: str, color: str = TEXT_COLOR, fontweight: str = ""
) -> None:
    axes.text(
        x,
        place,
        text,
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=10,
        fontweight=fontweight or "normal",
        color=color,
    )


def _dress(axes: "Axes", shown: Sequence[Comparison], end: float) -> None:
    low = min([0.9, *(each.slowest for each in shown)]) / 1.1
    high = max([1.0, *(each.fastest for each in shown)]) * 1.5
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(end, -0.6)
    _write(axes, PEER_PLACE, -0.1, "compared with", color=MUTED_COLOR)
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks], fontsize=10)
    axes.minorticks_off()
    axes.set_yticks([])
    axes.tick_params(colors=TEXT_COLOR, length=0)
    axes.axvline(1.0, color=LINE_COLOR, linewidth=1.4)
    axes.grid(axis="x", color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
