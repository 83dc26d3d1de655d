"""The drawings of a report's page, as SVG."""

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np

from seedbed.reports.groups import Group
from seedbed.reports.page.beside import Beside
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.text import number_text
from seedbed.spec.html import escaped

WIDTH, HEIGHT = 150.0, 44.0
# Of the chart of layers: small, so that its letters can be read on a phone.
CHART_WIDTH, CHART_HEIGHT, LEFT, BOTTOM, LABELS = 440.0, 270.0, 46.0, 22.0, 120.0
LABEL_GAP = 12.0
MOST_LABELS = 14


def histogram(tensor: TensorFigures, other: TensorFigures | None = None) -> str:
    """Return a tensor's histogram, over its exact density and another's outline."""
    counts = tensor.histogram.counts
    if tensor.is_constant or not sum(counts):
        return ""
    low, high = tensor.histogram.low, tensor.histogram.high
    width = (high - low) / len(counts)
    density = [count / (sum(counts) * width) for count in counts]
    lines = [density]
    exact: list[float] = []
    if tensor.exact is not None:
        exact = [float(each) for each in tensor.exact.density(np.linspace(low, high, 81))]
        lines.append(exact)
    outline = other_density(tensor, other)
    lines.append(outline)
    top = max(max(line, default=0.0) for line in lines) or 1.0
    step = WIDTH / len(counts)
    bars = "".join(
        f"M{place * step:.1f} {HEIGHT}V{HEIGHT * (1 - each / top):.1f}h{step:.2f}V{HEIGHT}z"
        for place, each in enumerate(density)
    )
    parts = [f'<path class="bars" d="{bars}"/>']
    parts += [_line("exact", exact, top), _line("other", outline, top, begin=step / 2)]
    label = f"histogram from {low:.4g} to {high:.4g}"
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}">'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )


def other_density(tensor: TensorFigures, other: TensorFigures | None) -> list[float]:
    """Return another histogram's density in the middle of each of a tensor's bins."""
    if other is None or other.is_constant:
        return []
    counts, ours = other.histogram.counts, tensor.histogram
    width = (other.histogram.high - other.histogram.low) / len(counts)
    step = (ours.high - ours.low) / len(ours.counts)
    total = max(sum(counts), 1)
    middles = ours.low + step * (np.arange(len(ours.counts)) + 0.5)
    with np.errstate(over="ignore"):  # what is too far away to have a place is in no bin
        places = np.floor((middles - other.histogram.low) / width)
    places = np.clip(places, -1, len(counts)).astype(int)
    return [
        counts[place] / (total * width) if 0 <= place < len(counts) else 0.0 for place in places
    ]


def _line(kind: str, values: Sequence[float], top: float, begin: float = 0.0) -> str:
    """Return a line through values at equal steps, ``begin`` away from both edges."""
    if not values:
        return ""
    step = (WIDTH - 2 * begin) / (len(values) - 1)
    points = " ".join(
        f"{begin + place * step:.1f},{HEIGHT * (1 - each / top):.1f}"
        for place, each in enumerate(values)
    )
    return f'<polyline class="{kind}" points="{points}"/>'


def layers(groups: Sequence[Group], bad: Collection[str], beside: Beside | None = None) -> str:
    """Return the standard deviations of each pattern by depth; empty where nothing has a depth.

    Args:
        groups: of the model.
        bad: the names of tensors that something was found about.
        beside: the other model, whose lines lie below.
    """
    others = beside.tensors if beside is not None else {}
    shown = [
        group
        for group in groups
        if len(group.tensors) > 1 and any(each.std > 0 for each in group.tensors)
    ]
    values = [each.std for group in shown for each in group.tensors if each.std > 0]
    if not values:
        return ""
    names = (each.name for group in shown for each in group.tensors)
    values += [others[name].std for name in names if name in others and others[name].std > 0]
    low, high = math.log10(min(values)) - 0.1, math.log10(max(values)) + 0.1
    deepest = max(max(group.depths) for group in shown) or 1
    right = CHART_WIDTH - LABELS
    bottom = CHART_HEIGHT - BOTTOM

    def x(depth: int) -> float:
        return LEFT + (right - LEFT) * depth / deepest

    def y(std: float) -> float:
        return 8 + (bottom - 8) * (high - math.log10(std)) / (high - low)

    parts = [_axes(low, high, deepest, right, bottom, y)]
    ends: list[tuple[float, str]] = []
    for group in shown:
        points = [
            (x(depth), y(each.std), each)
            for depth, each in zip(group.depths, group.tensors, strict=True)
            if each.std > 0
        ]
        there = " ".join(
            f"{x(depth):.1f},{y(others[each.name].std):.1f}"
            for depth, each in zip(group.depths, group.tensors, strict=True)
            if each.name in others and others[each.name].std > 0
        )
        if there:
            parts.append(f'<polyline class="other" points="{there}"/>')
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b, _ in points)
        parts.append(f'<polyline class="layer" points="{path}"/>')
        for a, b, each in points:
            kind, radius = ("bad-point", 4.5) if each.name in bad else ("point", 1.8)
            title = f"{escaped(each.name)}: std {number_text(each.std)}"
            parts.append(
                f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="{radius}">'
                f"<title>{title}</title></circle>"
            )
        ends.append((points[-1][1], _short(group.pattern)))
    parts += [
        f'<text x="{right + 8:g}" y="{place + 4:.1f}">{escaped(text)}</text>'
        for place, text in _labels(ends)
    ]
    return (
        f'<svg viewBox="0 0 {CHART_WIDTH:g} {CHART_HEIGHT:g}" role="img" '
        f'aria-label="standard deviation by depth">{"".join(parts)}</svg>'
    )


def _axes(
    low: float, high: float, deepest: int, right: float, bottom: float, y: Callable[[float], float]
) -> str:
    parts = []
    for step in _ticks(low, high):
        at = y(step)
        parts.append(
            f'<path class="grid" d="M{LEFT} {at:.1f}H{right}"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{step:.3g}</text>'
        )
    for depth in sorted({0, deepest // 2, deepest}):
        at = LEFT + (right - LEFT) * depth / deepest
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{depth}</text>')
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two powers of ten: as few as give three, if any do."""
    found: list[float] = []
    for digits in ((1.0,), (1.0, 2.0, 5.0), np.arange(1, 10), np.arange(1, 10, 0.5)):
        found = [
            float(digit * 10.0**power)
            for power in range(math.floor(low), math.ceil(high) + 1)
            for digit in digits
            if low <= math.log10(digit * 10.0**power) <= high
        ]
        if len(found) > 2:
            break
    return found


def _short(pattern: str) -> str:
    parts = [part for part in pattern.replace("/", ".").split(".") if part not in {"*", "weight"}]
    text = ".".join(parts[-2:]) or pattern
    return text if len(text) <= 18 else f"…{text[-17:]}"


def _labels(ends: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return labels that do not overlap; those of lines at one place share one."""
    merged: list[tuple[float, list[str]]] = []
    for place, text in sorted(ends):
        if merged and place - merged[-1][0] < LABEL_GAP:
            merged[-1][1].append(text)
        else:
            merged.append((place, [text]))
    return [
        (place, texts[0] if len(texts) == 1 else f"{texts[0]} +{len(texts) - 1}")
        for place, texts in merged[:MOST_LABELS]
    ]
