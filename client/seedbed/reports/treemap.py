"""A treemap: areas in proportion to sizes, as nearly square as can be.

The layout is that of Bruls, Huizing and van Wijk, Squarified Treemaps, 2000.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle."""

    x: float
    """Its left edge."""
    y: float
    """Its upper edge."""
    width: float
    """How wide it is."""
    height: float
    """How high it is."""


def squarified(sizes: Sequence[float], box: Box) -> list[Box]:
    """Return a box for each size, which must be above 0; largest first looks best.

    Args:
        sizes: what areas are in proportion to.
        box: what they fill together.
    """
    total = sum(sizes)
    scale = box.width * box.height / total if total else 0.0
    areas = [size * scale for size in sizes]
    placed: list[Box] = []
    while areas:
        side = min(box.width, box.height)
        count = 1
        while count < len(areas) and _worst(areas[: count + 1], side) <= _worst(
            areas[:count], side
        ):
            count += 1
        row, box = _row(areas[:count], box)
        placed += row
        areas = areas[count:]
    return placed


def _worst(areas: Sequence[float], side: float) -> float:
    """Return the most oblong box's ratio of sides, of a row along a side."""
    total = sum(areas)
    return max(
        max(side**2 * area / total**2, total**2 / (side**2 * area))
        for area in (min(areas), max(areas))
    )


def _row(areas: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """Return the boxes of a row along the shorter side, and what is left."""
    total = sum(areas)
    x, y = box.x, box.y
    placed = []
    if box.width >= box.height:
        width = total / box.height
        for area in areas:
            placed.append(Box(x, y, width, area / width))
            y += area / width
        return placed, Box(box.x + width, box.y, max(box.width - width, 0.0), box.height)
    height = total / box.width
    for area in areas:
        placed.append(Box(x, y, area / height, height))
        x += area / height
    return placed, Box(box.x, box.y + height, box.width, max(box.height - height, 0.0))
