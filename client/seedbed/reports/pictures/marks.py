"""A mark for each of few elements, below the exact density that they come from."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.pictures import colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A histogram of fewer elements shows chance, not the distribution.
MAX_MARKS = 200
# Of the height of the picture.
MARK_HEIGHT = 0.13


def draw_marks(axes: "Axes", sample: NDArray[np.float64], label: str) -> None:
    """Draw a mark for each element, at its value."""
    different = np.unique(sample).size
    if different < sample.size:
        label += f", {different:,} different values"
    axes.vlines(
        sample,
        0,
        MARK_HEIGHT,
        transform=axes.get_xaxis_transform(),
        color=colors.MARK,
        linewidth=1.2,
        alpha=0.8,
        label=label,
    )
