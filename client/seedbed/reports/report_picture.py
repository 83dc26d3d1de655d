"""A report's main charts as one picture."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seedbed.reports.findings import findings_in
from seedbed.reports.groups import Group, grouped
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.text import count_text, sides_text, size_text
from seedbed.reports.treemap import Box, squarified

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_HISTOGRAMS = 12
COLUMNS = 4
INK, SOFT, AREA, LINE, WRONG = "#1c2420", "#5b675f", "#9cccb2", "#a85a00", "#b3261e"
TINT = (31 / 255, 122 / 255, 77 / 255)


def draw(path: Path, model: ModelFigures) -> None:
    """Write the picture: sizes, standard deviations by depth, and histograms."""
    from matplotlib.figure import Figure  # takes a second; only who wants a picture pays for it

    groups = grouped(model.tensors)
    found = findings_in(model.tensors)
    bad = {each.name for each in found}
    random = [group for group in groups if not group.first.is_constant]
    shown = sorted(random, key=lambda group: -group.elements)[:MOST_HISTOGRAMS]
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(13, 5.2 + 1.9 * rows), dpi=130, layout="constrained")
    grid = figure.add_gridspec(rows + 1, COLUMNS, height_ratios=[2.2, *[1.0] * rows])
    _sizes(figure.add_subplot(grid[0, :2]), model, bad)
    _depths(figure.add_subplot(grid[0, 2:]), random, bad)
    for place, group in enumerate(shown):
        row, column = divmod(place, COLUMNS)
        _histogram(figure.add_subplot(grid[row + 1, column]), group, bad)
    many = f"{len(found)} findings" if len(found) != 1 else "1 finding"
    words = many if found else "nothing unusual"
    title = (
        f"{model.title}: {count_text(len(model.tensors), 'tensor')}, {model.elements:,} numbers, "
        f"{size_text(model.size_bytes)}; {words}"
    )
    color = WRONG if found else INK
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=color, parse_math=False)
    figure.savefig(path)


def _sizes(axes: "Axes", model: ModelFigures, bad: set[str]) -> None:
    from matplotlib.patches import Rectangle

    tensors = sorted((each for each in model.tensors if each.elements), key=lambda t: -t.elements)
    box = Box(0.0, 0.0, 100.0, 56.0)
    total = sum(each.elements for each in tensors)
    seen = [each for each in tensors if each.elements / total > 2e-4]
    stds = [math.log(each.std) for each in seen if each.std > 0]
    low, high = (min(stds), max(stds)) if stds else (0.0, 0.0)
    boxes = squarified([float(each.elements) for each in seen], box)
    # What is marked comes last, or its neighbours would cover its edge.
    for each, place in sorted(zip(seen, boxes, strict=True), key=lambda both: both[0].name in bad):
        depth = (math.log(each.std) - low) / (high - low) if each.std > 0 and high > low else 0.5
        color = (0.88, 0.9, 0.88) if each.is_constant else (*TINT, 0.1 + 0.4 * depth)
        edge, width = (WRONG, 2.0) if each.name in bad else ("white", 1.0)
        axes.add_patch(
            Rectangle((place.x, place.y), place.width, place.height, fc=color, ec=edge, lw=width)
        )
        if place.width > 12 and place.height > 5:
            axes.text(
                place.x + 0.8,
                place.y + 2.6,
                each.name[: int(place.width / 1.35)],
                fontsize=7,
                color=INK,
                parse_math=False,
            )
    axes.set(xlim=(0, 100), ylim=(56, 0))
    axes.set_title("sizes", loc="left", fontsize=10, color=SOFT)
    axes.axis("off")


def _depths(axes: "Axes", groups: list[Group], bad: set[str]) -> None:
    for group in groups:
        if len(group.tensors) < 2:
            continue
        stds = [each.std for each in group.tensors]
        axes.plot(group.depths, stds, color=TINT, lw=1.2, marker="o", ms=2.5)
        for depth, each in zip(group.depths, group.tensors, strict=True):
            if each.name in bad:
                axes.plot([depth], [each.std], "o", color=WRONG, ms=6)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.tick_params(axis="y", which="minor", labelsize=7, labelcolor=SOFT, length=2)
    axes.set_title("standard deviation by depth", loc="left", fontsize=10, color=SOFT)
    _quiet(axes)


def _histogram(axes: "Axes", group: Group, bad: set[str]) -> None:
    each = next((each for each in group.tensors if each.name in bad), group.first)
    counts = np.asarray(each.histogram.counts, np.float64)
    edges = np.linspace(each.histogram.low, each.histogram.high, counts.size + 1)
    total = max(counts.sum(), 1.0)
    axes.stairs(counts / (total * np.diff(edges)), edges, fill=True, color=AREA)
    if each.exact is not None:
        x = np.linspace(each.histogram.low, each.histogram.high, 201)
        axes.plot(x, each.exact.density(x), color=LINE, lw=1.2)
    times = f" x {len(group.tensors)}" if len(group.tensors) > 1 else ""
    color = WRONG if each.name in bad else INK
    name = group.pattern if len(group.pattern) < 34 else f"…{group.pattern[-33:]}"
    axes.set_title(f"{name}{times}", loc="left", fontsize=8, color=color, parse_math=False)
    axes.set_xlabel(f"{sides_text(each.shape)}, std {each.std:.4g}", fontsize=7, color=SOFT)
    axes.set_yticks([])
    _quiet(axes)


def _quiet(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=7, colors=SOFT, length=2)
