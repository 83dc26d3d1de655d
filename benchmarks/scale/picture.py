"""A picture of how long a start takes, by model, ranks and way."""

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale.figures import Figures
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.models import MODELS, Model
from benchmarks.scale.start import start
from benchmarks.scale.texts import duration
from benchmarks.scale.ways import Way

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RANKS = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 100_000]
COLORS = {
    Way.WHOLE: "#b5473c",
    Way.SHARDED: "#d9822b",
    Way.HOST: "#2f7f6f",
    Way.LOCAL: "#3d6fb4",
}
LABELS = {
    Way.WHOLE: "whole",
    Way.SHARDED: "sharded",
    Way.HOST: "a server a host",
    Way.LOCAL: "local, digests checked",
}
TEXT_COLOR, MUTED_COLOR, GRID_COLOR = "#333333", "#777777", "#e6e6e6"
TICKS = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 86_400: "1 day"}
LONGEST = 200_000.0
# What keeps labels at the right end apart, as a factor of seconds.
LABEL_GAP = 1.9


def draw(path: Path, figures: Figures) -> None:
    """Write the picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 11.5), dpi=120, layout="constrained")
    panels = figure.subplots(len(MODELS), 1, sharex=True)
    for axes, model in zip(panels, MODELS, strict=True):
        _draw_model(axes, model, figures)
    panels[-1].set_xlabel("ranks", color=MUTED_COLOR, fontsize=11, loc="left")
    title = "Until the last rank is ready, from three replicas"
    figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold", color=TEXT_COLOR)
    figure.savefig(path, facecolor="white")


def _draw_model(axes: "Axes", model: Model, figures: Figures) -> None:
    ends = []
    for way, color in COLORS.items():
        if way is Way.SHARDED and model.shard_ranks == 1:
            continue
        fitting = filter(model.fits, RANKS)
        starts = [start(way, model, Fleet(ranks), figures) for ranks in fitting]
        shown = [(each.fleet.ranks, each.seconds) for each in starts if each.seconds <= LONGEST]
        if len(shown) < 2:
            first = starts[0]
            text = f"{LABELS[way]}: {duration(first.seconds)} and more, {first.limit.value}"
            ends.append((first.fleet.ranks, LONGEST / 2, text, color))
            continue
        axes.plot(*zip(*shown, strict=True), color=color, linewidth=2.2, solid_capstyle="round")
        limit = starts[len(shown) - 1].limit
        ends.append((*shown[-1], f"{LABELS[way]}: {limit.value}", color))
    _label(axes, ends)
    _dress(axes, model)


def _label(axes: "Axes", ends: list[tuple[int, float, str, str]]) -> None:
    """Write what each line is beside its end, or above it where the line leaves the picture."""
    lowest = 0.0
    for ranks, seconds, text, color in sorted(ends, key=lambda end: end[1]):
        if ranks < RANKS[-1]:
            axes.annotate(
                text,
                (ranks, seconds),
                xytext=(8, -6),
                textcoords="offset points",
                fontsize=10,
                color=color,
            )
            continue
        at = max(seconds, lowest * LABEL_GAP)
        lowest = at
        axes.annotate(
            text,
            (ranks, at),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            color=color,
        )


def _dress(axes: "Axes", model: Model) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(RANKS[0], RANKS[-1])
    axes.set_ylim(1.0, LONGEST)
    axes.set_yticks(list(TICKS), list(TICKS.values()))
    axes.set_xticks(
        [10**power for power in range(1, 6)], ["10", "100", "1,000", "10,000", "100,000"]
    )
    axes.minorticks_off()
    axes.grid(visible=True, color=GRID_COLOR)
    axes.set_axisbelow(True)
    axes.tick_params(colors=TEXT_COLOR, length=0, labelsize=10)
    for spine in axes.spines.values():
        spine.set_visible(False)
    copies = "" if model.shard_ranks == 1 else f", one copy over {model.shard_ranks} ranks"
    size = (
        f"{model.gigabytes:,.0f} GB" if model.gigabytes >= 1 else f"{model.gigabytes * 1e3:.0f} MB"
    )
    axes.set_title(f"{model.name}, {size}{copies}", loc="left", fontsize=11, color=TEXT_COLOR)
