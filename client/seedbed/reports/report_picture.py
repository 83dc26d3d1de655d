"""A report's main charts as one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seedbed.reports.comparison import summary
from seedbed.reports.findings import Finding
from seedbed.reports.groups import Group, grouped
from seedbed.reports.labels import fitted_label
from seedbed.reports.page.charts import other_density
from seedbed.reports.pictures.figure import EXTREME, unit_of
from seedbed.reports.pictures.lettering import drawable
from seedbed.reports.sizes import sized_groups
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.text import count_text, printable, shortened, sides_text, size_text
from seedbed.reports.treemap import Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from seedbed.reports.report import Report

FRAME = Box(0.0, 0.0, 100.0, 56.0)
MARGIN = 1.25
MOST_HISTOGRAMS = 12
COLUMNS = 4
TITLE_LETTERS = 60
# In units of the map, as its letters are drawn.
LETTER_WIDTH, LINE_HEIGHT = 0.9, 1.9
INK, SOFT, AREA, LINE, WRONG = "#1c2420", "#5b675f", "#9cccb2", "#a85a00", "#b3261e"
OTHER = "#3a62b8"
TINT = (31 / 255, 122 / 255, 77 / 255)


def draw(path: Path, report: "Report") -> None:
    """Write the picture: sizes, standard deviations by depth, and histograms; another's in blue."""
    from matplotlib.figure import Figure  # takes a second; only who wants a picture pays for it

    model, found = report.model, report.findings
    groups = grouped(model.tensors)
    bad = {each.name for each in found}
    random = [group for group in groups if not group.first.is_constant]
    shown = sorted(random, key=lambda group: -group.elements)[:MOST_HISTOGRAMS]
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(13, 5.2 + 1.9 * rows), dpi=130, layout="constrained")
    others = {each.name: each for each in report.other.tensors} if report.other else {}
    grid = figure.add_gridspec(rows + 1, COLUMNS, height_ratios=[2.2, *[1.0] * rows])
    _sizes(figure.add_subplot(grid[0, :2]), groups, bad)
    _depths(figure.add_subplot(grid[0, 2:]), random, bad)
    for place, group in enumerate(shown):
        row, column = divmod(place, COLUMNS)
        _histogram(figure.add_subplot(grid[row + 1, column]), group, bad, others)
    title = (
        f"{_title(model)}: {count_text(len(model.tensors), 'tensor')}, {model.elements:,} numbers, "
        f"{size_text(model.size_bytes)}; {_findings_text(found)}"
    )
    if report.other is not None:
        compared = f"{_title(report.other)}: {summary(model, report.differences)}"
        title += f"\nbeside {compared}; {_findings_text(report.other_findings)}"
    color = WRONG if found else INK
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, color=color, parse_math=False)
    figure.savefig(path)


def _title(model: ModelFigures) -> str:
    return shortened(drawable(printable(model.title)), TITLE_LETTERS)


def _findings_text(found: Sequence[Finding]) -> str:
    return count_text(len(found), "finding") if found else "nothing unusual"


def _sizes(axes: "Axes", groups: Sequence[Group], bad: set[str]) -> None:
    from matplotlib.patches import Rectangle

    def draw(box: Box, **look: Any) -> None:
        axes.add_patch(Rectangle(box[:2], box.width, box.height, **look))

    shown = sized_groups(groups, FRAME)
    for each in (each for sized in shown for each in sized.tensors):
        color = (0.88, 0.9, 0.88) if each.tensor.is_constant else (*TINT, 0.1 + 0.4 * each.tint)
        draw(each.box, fc=color, ec="white", lw=0.8)
        if each.tensor.name in bad:  # above its neighbours' edges
            draw(each.box, fc="none", ec=WRONG, lw=2.0, zorder=3)
    for sized in shown:
        draw(sized.box, fc="none", ec="white", lw=2.0, zorder=2)
        label, rotation = _label(sized.group, sized.box)
        axes.text(
            sized.box.x + 0.8,
            sized.box.y + 0.8,
            "\n".join(map(drawable, label)),
            va="top",
            rotation=rotation,
            fontsize=6.5,
            linespacing=1.2,
            color=INK,
            parse_math=False,
        )
    axes.set(xlim=(0, FRAME.width), ylim=(FRAME.height, 0))
    axes.set_title("sizes", loc="left", fontsize=10, color=SOFT)
    axes.axis("off")


def _label(group: Group, box: Box) -> tuple[list[str], float]:
    """Return a label's lines and its angle: along the height where only that has room."""
    count = len(group.tensors)
    for along, across, rotation in ((box.width, box.height, 0.0), (box.height, box.width, 270.0)):
        columns, lines = int((along - 1.2) / LETTER_WIDTH), int((across - 1.0) / LINE_HEIGHT)
        label = list(fitted_label(printable(group.pattern), columns, lines))
        if label:
            return label + [f"× {count}"] * (count > 1 and len(label) < lines), rotation
    return [], 0.0


def _depths(axes: "Axes", groups: list[Group], bad: set[str]) -> None:
    for group in groups:
        if len(group.tensors) < 2:
            continue
        stds = [_drawable_std(each) for each in group.tensors]
        axes.plot(group.depths, stds, color=TINT, lw=1.2, marker="o", ms=2.5)
        for depth, each in zip(group.depths, group.tensors, strict=True):
            if each.name in bad:
                axes.plot([depth], [_drawable_std(each)], "o", color=WRONG, ms=6)
    axes.set_yscale("log")
    stds = [_drawable_std(each) for group in groups for each in group.tensors if each.std > 0]
    if stds:  # what is chance fills no chart
        axes.set_ylim(min(stds) / MARGIN, max(stds) * MARGIN)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.tick_params(axis="y", which="minor", labelsize=7, labelcolor=SOFT, length=2)
    axes.set_title("standard deviation by depth", loc="left", fontsize=10, color=SOFT)
    _quiet(axes)


def _drawable_std(tensor: TensorFigures) -> float:
    """Return a standard deviation that has a place on an axis: matplotlib's end before float64."""
    return min(max(tensor.std, 1 / EXTREME), EXTREME) if tensor.std > 0 else tensor.std


def _histogram(
    axes: "Axes", group: Group, bad: set[str], others: Mapping[str, TensorFigures]
) -> None:
    each = next((each for each in group.tensors if each.name in bad), group.first)
    counts = np.asarray(each.histogram.counts, np.float64)
    low, high = each.histogram.low, each.histogram.high
    unit = unit_of(low, high)
    edges = np.linspace(low, high, counts.size + 1) / unit
    total = max(counts.sum(), 1.0)
    axes.stairs(counts / (total * np.diff(edges)), edges, fill=True, color=AREA)
    if each.exact is not None:
        x = np.linspace(low, high, 201)
        axes.plot(x / unit, each.exact.density(x) * unit, color=LINE, lw=1.2)
    outline = other_density(each, others.get(each.name))
    if outline:
        middles = (edges[:-1] + edges[1:]) / 2
        axes.plot(middles, np.multiply(outline, unit), color=OTHER, lw=1.2)
    times = f" × {len(group.tensors)}" if len(group.tensors) > 1 else ""
    color = WRONG if each.name in bad else INK
    name = drawable(printable(group.pattern))
    name = name if len(name) < 34 else f"…{name[-33:]}"
    axes.set_title(f"{name}{times}", loc="left", fontsize=8, color=color, parse_math=False)
    in_units = "" if unit == 1 else f", in units of {unit:g}"
    what = f"{sides_text(each.shape)}, std {each.std:.4g}{in_units}"
    axes.set_xlabel(what, fontsize=7, color=SOFT)
    axes.set_yticks([])
    _quiet(axes)


def _quiet(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=7, colors=SOFT, length=2)
