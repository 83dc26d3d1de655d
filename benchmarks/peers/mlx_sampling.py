"""MLX's random functions on the processor; it has none in float64."""

from typing import Any

import mlx.core as mx

from benchmarks.peers.names import DTYPES, ITEM_BYTES, LIMIT, STDDEV, cell
from benchmarks.work import Action


def actions(*, size_bytes: int) -> dict[str, Action]:
    """Return what samples each distribution in each dtype."""
    mx.set_default_device(mx.cpu)
    found: dict[str, Action] = {}
    for dtype in DTYPES:
        if dtype != "float64":
            shape = (size_bytes // ITEM_BYTES[dtype],)
            found |= {
                cell(name, dtype): run for name, run in _samples(shape, getattr(mx, dtype)).items()
            }
    return found


def _samples(shape: tuple[int, ...], dtype: Any) -> dict[str, Action]:
    def uniform() -> None:
        mx.eval(mx.random.uniform(-LIMIT, LIMIT, shape, dtype))

    def normal() -> None:
        mx.eval(mx.random.normal(shape, dtype, loc=0.0, scale=STDDEV))

    def truncated_normal() -> None:
        mx.eval(mx.random.truncated_normal(-2.0, 2.0, shape, dtype) * mx.array(STDDEV, dtype))

    return {"uniform": uniform, "normal": normal, "truncated normal": truncated_normal}
