"""The windows of Fourier transforms, in the fixed point of :mod:`seedbed_server.kernels.turns`.

Names and formulas are those of ``scipy.signal.windows``; the coefficients are exact decimals.
"""

from collections.abc import Callable

from seedbed_server.kernels.turns import BITS, ONE, pi, turns

# Coefficients of cosine series in units of 1e-9: term k is multiplied with (-1)**k cos(k angle).
_SERIES_UNIT = 10**9
COSINE_SERIES = {
    "boxcar": (1_000_000_000,),
    "hann": (500_000_000, 500_000_000),
    "hamming": (540_000_000, 460_000_000),
    "blackman": (420_000_000, 500_000_000, 80_000_000),
    "nuttall": (363_581_900, 489_177_500, 136_599_500, 10_641_100),
    "blackmanharris": (358_750_000, 488_290_000, 141_280_000, 11_680_000),
    "flattop": (215_578_950, 416_631_580, 277_263_158, 83_578_947, 6_947_368),
}


def window_values(name: str, length: int, *, periodic: bool) -> list[int]:
    """Return a window.

    Args:
        name: one of :data:`COSINE_SERIES` or of the other functions here.
        length: how many values, 1 or more.
        periodic: whether it is one period of a periodic window: a symmetric one of one value more,
            without its last.
    """
    if length == 1:
        return [ONE]
    points = length + periodic
    if name in COSINE_SERIES:
        return [_cosine_series(COSINE_SERIES[name], t, points) for t in range(length)]
    formula = _FORMULAS[name]
    return [formula(t, points) for t in range(length)]


def _cosine_series(coefficients: tuple[int, ...], t: int, points: int) -> int:
    circle = turns(points - 1)
    total = sum((-1) ** k * a * circle.cos_sin(k * t)[0] for k, a in enumerate(coefficients))
    return total // _SERIES_UNIT


def _bartlett(t: int, points: int) -> int:
    return 2 * min(t, points - 1 - t) * ONE // (points - 1)


def _triang(t: int, points: int) -> int:
    nearer = min(t, points - 1 - t)
    if points % 2:
        return 2 * (nearer + 1) * ONE // (points + 1)
    return (2 * nearer + 1) * ONE // points


def _cosine(t: int, points: int) -> int:
    return turns(4 * points).cos_sin(2 * t + 1)[1]


def _barthann(t: int, points: int) -> int:
    # |t / (points - 1) - 1/2|, and the cosine of that part of a turn.
    distance = abs(2 * t - (points - 1))
    cos = turns(2 * (points - 1)).cos_sin(distance)[0]
    return (62 * ONE - 48 * distance * ONE // (2 * (points - 1)) + 38 * cos) // 100


def _bohman(t: int, points: int) -> int:
    if t in (0, points - 1):
        return 0
    distance = abs(2 * t - (points - 1))
    cos, sin = turns(2 * (points - 1)).cos_sin(distance)
    return (points - 1 - distance) * cos // (points - 1) + (sin << BITS) // pi()


def _parzen(t: int, points: int) -> int:
    # x = distance / points is |n| / (points / 2), n counted from the middle.
    distance = abs(2 * t - (points - 1))
    if 2 * distance <= points - 1:
        return (points**3 - 6 * distance**2 * (points - distance)) * ONE // points**3
    return 2 * (points - distance) ** 3 * ONE // points**3


def _lanczos(t: int, points: int) -> int:
    # sin(pi x) / (pi x) at x = distance / (points - 1).
    distance = abs(2 * t - (points - 1))
    if distance == 0:
        return ONE
    sin = turns(2 * (points - 1)).cos_sin(distance)[1]
    return (sin * (points - 1) << BITS) // (pi() * distance)


_FORMULAS: dict[str, Callable[[int, int], int]] = {
    "bartlett": _bartlett,
    "triang": _triang,
    "cosine": _cosine,
    "barthann": _barthann,
    "bohman": _bohman,
    "parzen": _parzen,
    "lanczos": _lanczos,
}
