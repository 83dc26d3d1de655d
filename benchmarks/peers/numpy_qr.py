"""numpy's QR of a ready random matrix in float64: LAPACK's, without sampling and rounding."""

import numpy as np

from benchmarks.work import Action


def actions(*, rows: int) -> dict[str, Action]:
    """Return what factors the matrix."""
    matrix = np.random.default_rng(1).standard_normal((rows, rows))

    def orthogonal() -> None:
        np.linalg.qr(matrix)

    return {"orthogonal": orthogonal}
