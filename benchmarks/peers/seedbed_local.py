"""seedbed's engine in the process itself."""

import itertools

import seedbed as sb
from benchmarks.work import Action


def actions(*, rows: int) -> dict[str, Action]:
    """Return what makes an orthogonal matrix of float32."""
    client = sb.connect("embedded:")
    seeds = itertools.count(1)

    def orthogonal() -> None:
        client.sample(
            sb.TensorSpec("w", (rows, rows), "float32", sb.Orthogonal(), seed=next(seeds))
        )

    return {"orthogonal": orthogonal}
