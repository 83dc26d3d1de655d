"""The Fourier kernels of docs/numerics.md, each element from its formula, to 100s of digits."""

import functools
from collections.abc import Callable, Mapping

import mpmath

from tests.reference.floats import FLOAT64, round_ratio

DIGITS = 150
SERIES = {
    "boxcar": "1",
    "hann": "0.5 0.5",
    "hamming": "0.54 0.46",
    "blackman": "0.42 0.5 0.08",
    "nuttall": "0.3635819 0.4891775 0.1365995 0.0106411",
    "blackmanharris": "0.35875 0.48829 0.14128 0.01168",
    "flattop": "0.21557895 0.41663158 0.277263158 0.083578947 0.006947368",
}


def window(name: str, n: int, *, periodic: bool) -> list[mpmath.mpf]:
    """Return the values of a window."""
    m = n + 1 if periodic else n
    return [mpmath.mpf(1) if n == 1 else _value(name, t, m) for t in range(n)]


def _value(name: str, t: int, m: int) -> mpmath.mpf:
    d = mpmath.mpf(abs(2 * t - (m - 1)))
    if name in SERIES:
        terms = enumerate(map(mpmath.mpf, SERIES[name].split()))
        return mpmath.fsum(
            (-1) ** k * a * mpmath.cos(2 * mpmath.pi * k * t / (m - 1)) for k, a in terms
        )
    if name == "parzen":
        x = d / m
        return 1 - 6 * x**2 * (1 - x) if 2 * d <= m - 1 else 2 * (1 - x) ** 3
    return _OTHERS[name](t, m, d / (m - 1), d)


_OTHERS: dict[str, Callable[[int, int, mpmath.mpf, mpmath.mpf], mpmath.mpf]] = {
    "bartlett": lambda t, m, x, d: 1 - x,
    "triang": lambda t, m, x, d: 1 - d / (m if m % 2 == 0 else m + 1),
    "cosine": lambda t, m, x, d: mpmath.sin(mpmath.pi * (2 * t + 1) / (2 * m)),
    "barthann": lambda t, m, x, d: (
        mpmath.mpf("0.62")
        - mpmath.mpf("0.48") * x / 2
        + mpmath.mpf("0.38") * mpmath.cos(mpmath.pi * x)
    ),
    "bohman": lambda t, m, x, d: (
        (1 - x) * mpmath.cos(mpmath.pi * x) + mpmath.sin(mpmath.pi * x) / mpmath.pi
    ),
    "lanczos": lambda t, m, x, d: (
        mpmath.mpf(1) if x == 0 else mpmath.sin(mpmath.pi * x) / (mpmath.pi * x)
    ),
}


@functools.lru_cache(maxsize=64)
def _factors(
    name: str | None, scaling: str | None, n: int, periodic: bool
) -> tuple[mpmath.mpf, ...]:
    if name is None:
        return (mpmath.mpf(1),) * n
    values = window(name, n, periodic=periodic)
    divisor = mpmath.mpf(1)
    if scaling == "density":
        divisor = mpmath.sqrt(mpmath.fsum(value**2 for value in values))
    if scaling == "spectrum":
        divisor = mpmath.fsum(abs(value) for value in values)
    return tuple(value / divisor for value in values)


def stft_element(shape: tuple[int, ...], index: int, parameters: Mapping[str, object]) -> float:
    """Return an element as a float64 number."""
    t, k = divmod(index, shape[2])
    points = 2 * (shape[2] - 1)
    with mpmath.workdps(DIGITS):
        words = [
            None if parameters[name] in (None, "none") else str(parameters[name])
            for name in ("window", "scaling")
        ]
        factor = _factors(words[0], words[1], shape[0], bool(parameters["periodic"]))
        angle = 2 * mpmath.pi * t * k / points
        wave = mpmath.cos(angle) if parameters["side"] == "real" else -mpmath.sin(angle)
        value = wave * factor[t]
        if abs(value) < mpmath.mpf(10) ** (20 - DIGITS):  # nothing but rounding
            return 0.0
        mantissa, exponent = (int(part) for part in value.man_exp)
        numerator = -mantissa if value < 0 and mantissa > 0 else mantissa
        return round_ratio(numerator << max(0, exponent), 1 << max(0, -exponent), FLOAT64)
