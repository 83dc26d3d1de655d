"""Fit the functions of the normal quantile and print them as a Python module.

    python tools/fit_normal.py > server/seedbed_server/kernels/normal_coefficients.py

The two polynomials of float32 are minimax (Remez exchange), the two rational functions of float64
interpolate at Chebyshev points. All are computed with 60 digits by mpmath, then rounded once. The
constants at the top are part of the contract `seedbed-1`; a test runs this script and compares.
"""

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
from mpmath import mpf

mpmath.mp.dps = 60

# s = sqrt(-SCALE * log2(p)) is 11/16 exactly at p = 1/2, and stays below 4 for every untruncated p.
ROOT_AT_HALF = mpf(11) / 16
SCALE = ROOT_AT_HALF**2
SMALLEST_LOG2 = 40
CENTRE = mpf(5) / 2
LOG2_DEGREE = 7
QUANTILE_DEGREE = 15
# float64's middle: x = 0.425**2 - q*q, for the probability q between the median and z, up to 0.425.
CENTRAL_HALF_WIDTH = mpf("0.425")
CENTRAL_SLOPE = mpf("2.5")
CENTRAL_DEGREE = 9
# float64's tails: u = sqrt(-ln p) - 1.5, from p = 0.077 down to 6e-40.
TAIL_SHIFT = mpf(3) / 2
TAIL_LOW = mpf("1.6")
TAIL_HIGH = mpf("9.5")
TAIL_SLOPE = mpf("1.5")
TAIL_DEGREE = 11

Function = Callable[[mpf], mpf]


def quantile(p: mpf) -> mpf:
    """Return the normal quantile of a probability in (0, 1/2]."""
    if p == mpf(1) / 2:
        return mpf(0)
    guess = -mpmath.sqrt(max(mpf(0), -2 * mpmath.log(2 * p)) + mpf("1e-30"))
    z = guess
    for _ in range(60):  # Halley's method on the logarithm of the distribution function
        density = mpmath.npdf(z)
        mass = mpmath.erfc(-z / mpmath.sqrt(2)) / 2
        ratio = density / mass
        error = mpmath.log(mass / p)
        step = error / ratio / (1 + error * (z + ratio) / ratio / 2)
        z -= step
        if abs(step) < mpf("1e-36"):
            break
    return z


def solve(
    nodes: Sequence[mpf], function: Function, weight: Function, degree: int
) -> tuple[list[mpf], mpf]:
    """Return the polynomial whose weighted error alternates +-E on the nodes, and |E|."""
    rows = [
        [x**k for k in range(degree + 1)] + [(-1) ** i / weight(x)] for i, x in enumerate(nodes)
    ]
    solution = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix([function(x) for x in nodes]))
    return list(solution[: degree + 1]), abs(solution[degree + 1])


def remez(function: Function, weight: Function, low: mpf, high: mpf, degree: int) -> list[mpf]:
    """Return the polynomial, constant first, with the least max |weight * (it - function)|."""
    count = degree + 2
    nodes = [
        (low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * count))
        for i in range(count)
    ]
    grid = [
        (low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * 24 * count))
        for i in range(24 * count)
    ]
    values = [function(x) for x in grid]
    known = dict(zip(grid, values, strict=True))
    coefficients: list[mpf] = []
    for _ in range(12):
        coefficients, levelled = solve(
            nodes, lambda x: known[x] if x in known else function(x), weight, degree
        )
        errors = [
            weight(x) * (mpmath.polyval(coefficients[::-1], x) - y)
            for x, y in zip(grid, values, strict=True)
        ]
        # One node per run of equal sign: where the error is largest.
        runs: list[int] = []
        for i, error in enumerate(errors):
            if runs and (error > 0) == (errors[runs[-1]] > 0):
                if abs(error) > abs(errors[runs[-1]]):
                    runs[-1] = i
            else:
                runs.append(i)
        while len(runs) > count:
            runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
        if len(runs) < count:
            raise ArithmeticError(f"{len(runs)} alternations, {count} expected")
        nodes = [grid[i] for i in runs]
        if max(map(abs, errors)) < levelled * mpf("1.001"):
            break
    return coefficients


def fit_log2() -> list[mpf]:
    """Return q with f * q(f) = -SCALE * log2(1 + f) on sqrt(1/2) - 1 <= f <= sqrt(2) - 1."""

    def function(f: mpf) -> mpf:
        return -SCALE * mpmath.log1p(f) / mpmath.log(2) / f

    low, high = mpmath.sqrt(mpf(1) / 2) - 1, mpmath.sqrt(2) - 1
    return remez(function, lambda _: mpf(1), low, high, LOG2_DEGREE)


def fit_quantile() -> list[mpf]:
    """Return r with (s - ROOT_AT_HALF) * (r(s - CENTRE) - 2) = quantile(2**(-s*s / SCALE))."""

    def function(u: mpf) -> mpf:
        s = u + CENTRE
        return quantile(mpf(2) ** (-s * s / SCALE)) / (s - ROOT_AT_HALF) + 2

    high = mpmath.sqrt(SCALE * SMALLEST_LOG2) - CENTRE
    return remez(
        function, lambda u: u + CENTRE - ROOT_AT_HALF, ROOT_AT_HALF - CENTRE, high, QUANTILE_DEGREE
    )


def rational(function: Function, low: mpf, high: mpf, degree: int) -> tuple[list[mpf], list[mpf]]:
    """Return numerator and denominator of the interpolant at Chebyshev points.

    Both have the constant first; the denominator's is 1.
    """
    count = 2 * degree + 1
    rows, values = [], []
    for i in range(count):
        x = (low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * count))
        value = function(x)
        rows.append(
            [x**k for k in range(degree + 1)] + [-value * x**k for k in range(1, degree + 1)]
        )
        values.append(value)
    solution = list(mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(values)))
    return solution[: degree + 1], [mpf(1), *solution[degree + 1 :]]


def fit_central() -> tuple[list[mpf], list[mpf]]:
    """Return n, d with n(x) / d(x) = z / q - CENTRAL_SLOPE, for x = CENTRAL_HALF_WIDTH**2 - q*q."""

    def function(x: mpf) -> mpf:
        q = mpmath.sqrt(CENTRAL_HALF_WIDTH**2 - x)
        return -quantile(mpf(1) / 2 - q) / q - CENTRAL_SLOPE

    return rational(function, mpf(0), CENTRAL_HALF_WIDTH**2, CENTRAL_DEGREE)


def fit_tail() -> tuple[list[mpf], list[mpf]]:
    """Return n, d with n(u) / d(u) = z - TAIL_SLOPE * s, for s = sqrt(-ln p) = u + TAIL_SHIFT."""

    def function(u: mpf) -> mpf:
        s = u + TAIL_SHIFT
        return -quantile(mpmath.exp(-s * s)) - TAIL_SLOPE * s

    return rational(function, TAIL_LOW - TAIL_SHIFT, TAIL_HIGH - TAIL_SHIFT, TAIL_DEGREE)


def as_tuple(
    name: str, coefficients: Sequence[mpf], precision: type[np.float32 | np.float64] = np.float32
) -> str:
    """Return the assignment of the coefficients, rounded to ``precision``, as source text."""
    lines = "\n".join(f"    {float(precision(float(c)))!r}," for c in coefficients)
    return f"{name} = (\n{lines}\n)"


def main() -> None:
    """Print the module."""
    print(
        '"""Coefficients of the normal quantile; written by tools/fit_normal.py, not by hand."""\n'
    )
    print("# Constant terms first. LOG2 and QUANTILE are float32 numbers, the rest is float64.\n")
    print(f"SCALE = {float(SCALE)!r}")
    print(f"ROOT_AT_HALF = {float(ROOT_AT_HALF)!r}")
    print(f"CENTRE = {float(CENTRE)!r}")
    print(f"SMALLEST_TAIL = {2.0**-SMALLEST_LOG2!r}\n")
    print(as_tuple("LOG2", fit_log2()) + "\n")
    print(as_tuple("QUANTILE", fit_quantile()) + "\n")
    numerator, denominator = fit_central()
    print(f"CENTRAL_HALF_WIDTH = {float(CENTRAL_HALF_WIDTH)!r}")
    print(f"CENTRAL_HALF_WIDTH_SQUARED = {float(CENTRAL_HALF_WIDTH**2)!r}")
    print(f"CENTRAL_SLOPE = {float(CENTRAL_SLOPE)!r}\n")
    print(as_tuple("CENTRAL_NUMERATOR", numerator, np.float64) + "\n")
    print(as_tuple("CENTRAL_DENOMINATOR", denominator, np.float64) + "\n")
    numerator, denominator = fit_tail()
    print(f"TAIL_SHIFT = {float(TAIL_SHIFT)!r}")
    print(f"TAIL_SLOPE = {float(TAIL_SLOPE)!r}\n")
    print(as_tuple("TAIL_NUMERATOR", numerator, np.float64) + "\n")
    print(as_tuple("TAIL_DENOMINATOR", denominator, np.float64))


if __name__ == "__main__":
    main()
