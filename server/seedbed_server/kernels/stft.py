"""The kernel of a short-time Fourier transform: exact values, rounded once to float64."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seedbed_server.kernels.turns import BITS, ONE, turns
from seedbed_server.kernels.windows import window_values


def stft_values(
    frames: NDArray[np.int64],
    bins: NDArray[np.int64],
    window: tuple[int, ...],
    waves: tuple[int, ...],
) -> NDArray[np.float64]:
    """Return elements of a kernel.

    Args:
        frames: the position of each element in the frame.
        bins: its frequency.
        window: from :func:`scaled_window`.
        waves: from :func:`wave`.
    """
    phases = frames * bins % len(waves)
    # Python rounds an integer to the nearest float, ties to even; the power of two changes no
    # digit.
    products = (
        math.ldexp(float(window[frame] * waves[phase]), -2 * BITS)
        for frame, phase in zip(frames.tolist(), phases.tolist(), strict=True)
    )
    return np.fromiter(products, np.float64, frames.size)


@lru_cache(maxsize=4)
def wave(side: str, points: int) -> tuple[int, ...]:
    """Return one period of the cosine (``real``) or of the negated sine (``imag``)."""
    circle = turns(points)
    if side == "real":
        return tuple(circle.cos_sin(part)[0] for part in range(points))
    return tuple(-circle.cos_sin(part)[1] for part in range(points))


@lru_cache(maxsize=4)
def scaled_window(
    name: str | None, scaling: str | None, length: int, *, periodic: bool
) -> tuple[int, ...]:
    """Return the factor of each element of a frame; without a window all are 1, scaling or not."""
    if name is None:
        return (ONE,) * length
    values = window_values(name, length, periodic=periodic)
    if scaling is None:
        return tuple(values)
    squares = sum(value * value for value in values)
    divisor = math.isqrt(squares) if scaling == "density" else sum(map(abs, values))
    return tuple((value << BITS) // divisor for value in values)
