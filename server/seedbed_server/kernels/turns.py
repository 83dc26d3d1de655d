"""Sines and cosines of fractions of a full turn, as fixed-point integers.

A few angles are computed with mpmath, and all others follow from them by the addition theorems, in
integers.
"""

import math
from functools import lru_cache
from typing import Any

from seedbed_server.kernels.precision import precise

BITS = 256
"""Binary digits after the point: ample for rounding to float64, even of small products."""
ONE = 1 << BITS


class Turns:
    """The angles that divide a full turn into equal parts.

    Args:
        parts: how many, 1 or more.
    """

    def __init__(self, parts: int) -> None:
        self.parts = parts
        # Angles of the first eighth of a turn, in units of 1 / (8 parts) turns: fine ones and
        # coarse ones.
        self._step = math.isqrt(parts) + 1
        with precise(bits=BITS + 64) as mpmath:
            self._fine = [self._exact(mpmath, unit) for unit in range(self._step)]
            self._coarse = [
                self._exact(mpmath, self._step * unit) for unit in range(parts // self._step + 1)
            ]

    def cos_sin(self, part: int) -> tuple[int, int]:
        """Return cosine and sine of ``part / parts`` turns; those of whole quarters are exact."""
        quarter, unit = divmod(8 * part % (8 * self.parts), 2 * self.parts)
        cos, sin = (
            self._eighth(unit) if unit <= self.parts else self._eighth(2 * self.parts - unit)[::-1]
        )
        for _ in range(quarter):
            cos, sin = -sin, cos
        return cos, sin

    def _eighth(self, unit: int) -> tuple[int, int]:
        coarse, fine = divmod(unit, self._step)
        (cos_a, sin_a), (cos_b, sin_b) = self._coarse[coarse], self._fine[fine]
        return (cos_a * cos_b - sin_a * sin_b) >> BITS, (sin_a * cos_b + cos_a * sin_b) >> BITS

    def _exact(self, mpmath: Any, unit: int) -> tuple[int, int]:
        cos, sin = mpmath.cos_sin(mpmath.pi * unit / (4 * self.parts))
        return int(mpmath.nint(cos * ONE)), int(mpmath.nint(sin * ONE))


@lru_cache(maxsize=16)
def turns(parts: int) -> Turns:
    """Return the angles that divide a full turn into so many parts."""
    return Turns(parts)


@lru_cache(maxsize=1)
def pi() -> int:
    """Return pi."""
    with precise(bits=BITS + 64) as mpmath:
        return int(mpmath.nint(mpmath.pi * ONE))
