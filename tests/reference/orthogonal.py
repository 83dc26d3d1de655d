"""The orthogonal matrix of docs/numerics.md: every element one written chain of operations."""

import math

from tests.reference.floats import FLOAT64, divide, fma, multiply, square_root, subtract
from tests.reference.normal import normal_float64
from tests.reference.words import Key, word64

BLOCK = 64

Matrix = list[list[float]]


def chain(terms: list[tuple[float, float]], start: float = 0.0) -> float:
    """Return start + a0 * b0 + a1 * b1 + ..., rounded after each term."""
    total = start
    for a, b in terms:
        # A product with 0 leaves any number but -0 as it is.
        if (a == 0 or b == 0) and (total != 0 or math.copysign(1.0, total) > 0):
            continue
        total = fma(a, b, total, FLOAT64)
    return total


def factor_panel(panel: Matrix) -> tuple[Matrix, list[float], Matrix]:
    """Return V, the diagonal of R, and T of a panel, which is destroyed."""
    rows, width = len(panel), len(panel[0])
    v = [[0.0] * width for _ in range(rows)]
    t = [[0.0] * width for _ in range(width)]
    diagonal: list[float] = []
    for k in range(width):
        alpha = panel[k][k]
        squares = chain([(panel[i][k], panel[i][k]) for i in range(k + 1, rows)])
        norm = square_root(fma(alpha, alpha, squares, FLOAT64), FLOAT64)
        beta = norm if alpha < 0 else -norm
        tau = divide(subtract(beta, alpha, FLOAT64), beta, FLOAT64) if norm > 0 else 0.0
        divisor = subtract(alpha, beta, FLOAT64) if norm > 0 else 1.0
        diagonal.append(beta)
        v[k][k] = 1.0
        for i in range(k + 1, rows):
            v[i][k] = divide(panel[i][k], divisor, FLOAT64)
        for c in range(k + 1, width):
            w = multiply(tau, chain([(v[i][k], panel[i][c]) for i in range(k, rows)]), FLOAT64)
            for i in range(k, rows):
                panel[i][c] = fma(-v[i][k], w, panel[i][c], FLOAT64)
        products = [chain([(v[i][k], v[i][c]) for i in range(k, rows)]) for c in range(k)]
        for r in range(k):
            t[r][k] = -multiply(tau, chain([(t[r][c], products[c]) for c in range(r, k)]), FLOAT64)
        t[k][k] = tau
    return v, diagonal, t


def reflect(v: Matrix, s: Matrix, matrix: Matrix, top: int, columns: range) -> None:
    """Replace rows ``top`` and below of some columns by (I - V S V') times themselves."""
    rows, width = len(v), len(s)
    for c in columns:
        projected = [
            chain([(v[i][k], matrix[top + i][c]) for i in range(rows)]) for k in range(width)
        ]
        scaled = [chain([(s[r][k], projected[k]) for k in range(width)]) for r in range(width)]
        for i in range(rows):
            terms = [(-v[i][k], scaled[k]) for k in range(width)]
            matrix[top + i][c] = chain(terms, matrix[top + i][c])


def orthonormal_columns(matrix: Matrix) -> Matrix:
    """Return Q of the QR factorization whose R has a positive diagonal; the matrix is destroyed."""
    rows, columns = len(matrix), len(matrix[0])
    diagonal: list[float] = []
    steps: list[tuple[int, Matrix, Matrix]] = []
    for begin in range(0, columns, BLOCK):
        end = min(begin + BLOCK, columns)
        v, part, t = factor_panel([row[begin:end] for row in matrix[begin:]])
        transposed = [list(column) for column in zip(*t, strict=True)]
        reflect(v, transposed, matrix, begin, range(end, columns))
        diagonal += part
        steps.append((begin, v, t))
    q = [[float(i == c) for c in range(columns)] for i in range(rows)]
    for begin, v, t in reversed(steps):
        reflect(v, t, q, begin, range(begin, columns))
    return [[-x if d < 0 else x for x, d in zip(row, diagonal, strict=True)] for row in q]


def orthogonal(rows: int, columns: int, gain: float, key: Key, indices: list[int]) -> Matrix:
    """Return the matrix as float64.

    ``indices`` are its elements' places in the whole tensor, in C order.
    """
    tall, short = max(rows, columns), min(rows, columns)
    if short == 0:
        return [[] for _ in range(rows)]
    words = ((word64(indices[r * short + c], key) for c in range(short)) for r in range(tall))
    matrix = [
        [normal_float64(word, 0.0, 1.0, -math.inf, math.inf) for word in row] for row in words
    ]
    q = [[multiply(x, gain, FLOAT64) for x in row] for row in orthonormal_columns(matrix)]
    return q if rows >= columns else [list(column) for column in zip(*q, strict=True)]
