"""A histogram over the density that its numbers come from."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.bins import bin_edges, counts_between
from seedbed.reports.distributions import Exact
from seedbed.reports.pictures import colors
from seedbed.spec.dtypes import Dtype

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIN_BINS, MAX_BINS = 20, 100


def draw_histogram(
    axes: "Axes", sample: NDArray[np.float64], exact: Exact, dtype: Dtype, label: str
) -> None:
    """Draw a histogram of finite numbers over the range that a density's picture shows.

    An area of 1 is all numbers, so that those beyond the picture are not lost.
    """
    edges = bin_edges(*exact.shown, dtype, min(MAX_BINS, max(MIN_BINS, math.isqrt(sample.size))))
    counts = counts_between(sample, edges)
    # Rounded numbers may lie beyond the distribution's end. They are of the part of the bin before
    # it, where their density is.
    inside = np.clip(edges, exact.low, exact.high)
    if dtype.saturates and (cut := int((np.abs(sample) == dtype.largest).sum())):
        label += f", {cut:,} cut to ±{dtype.largest:g}"
    if (outside := sample.size - counts.sum()) > 0:
        label += f", {round(outside):,} beyond the picture"
    axes.stairs(
        counts / sample.size / np.diff(inside),
        inside,
        fill=True,
        color=colors.SAMPLE,
        label=label,
    )
