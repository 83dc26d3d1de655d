"""A picture of the results: how far each ratio reaches its bar."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.result import Result
from benchmarks.table import bar_text, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MET_COLOR, SHORT_COLOR = "#4c9a6a", "#d9822b"
TEXT_COLOR, MUTED_COLOR, LINE_COLOR = "#333333", "#777777", "#444444"
INCHES_PER_BAR = 0.32
FIGURE_INCHES = 11.0
# About what is left for the bars and their labels beside the titles, and what a letter of a label
# takes.
AXES_INCHES = 6.8
LETTER_INCHES = 0.066
LABEL_GAP_INCHES = 0.15


def draw(path: Path, results: Sequence[Result]) -> None:
    """Write the picture of the results that have a ratio and a bar for it."""
    from matplotlib.figure import Figure

    shown = [result for result in results if result.bar_on == "ratio" and result.score is not None]
    figure = Figure(
        figsize=(FIGURE_INCHES, 1.3 + INCHES_PER_BAR * max(1, len(shown))),
        dpi=150,
        layout="constrained",
    )
    axes = figure.add_subplot()
    _draw_bars(axes, shown)
    _dress(axes, shown)
    figure.savefig(path, facecolor="white")


def _draw_bars(axes: "Axes", shown: Sequence[Result]) -> None:
    for place, result in enumerate(shown):
        score = result.score or 0.0
        axes.barh(place, score, height=0.68, color=MET_COLOR if result.is_met else SHORT_COLOR)
        axes.annotate(
            _label(result),
            (max(score, 1.0), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=TEXT_COLOR,
        )
    axes.axvline(1.0, color=LINE_COLOR, linewidth=1.2)


def _label(result: Result) -> str:
    of = "" if result.higher_is_better else "the time of "
    return f"{number(result.figure or 0.0)}x {of}{result.peers[0]}   ({bar_text(result)})"


def _reach(result: Result) -> float:
    """Return how far the axis must go for a bar's label to end inside the picture."""
    inches = LABEL_GAP_INCHES + LETTER_INCHES * len(_label(result))
    return max(result.score or 0.0, 1.0) * AXES_INCHES / (AXES_INCHES - inches)


def _dress(axes: "Axes", shown: Sequence[Result]) -> None:
    axes.set_yticks(range(len(shown)), [result.title for result in shown], fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    longest = max([1.0, *(result.score or 0.0 for result in shown)])
    axes.set_xlim(0, max([longest, *(_reach(result) for result in shown)]))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= longest])
    axes.tick_params(colors=TEXT_COLOR, length=0)
    axes.set_xlabel(
        "ratio to the best peer, over the bar for it (bar over ratio where less is better)",
        color=MUTED_COLOR,
        fontsize=8.5,
        loc="left",
    )
    for spine in axes.spines.values():
        spine.set_visible(False)
    title = "seedbed beside the best peer: right of the line, the bar is met"
    axes.figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=TEXT_COLOR)
