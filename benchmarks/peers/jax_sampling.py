"""JAX's random functions, compiled once for a shape and called with another key each time.

``threefry2x32`` is its default generator; ``rbg`` is the one that it names as the faster.
"""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.peers.names import DTYPES, ITEM_BYTES, LIMIT, STDDEV, cell
from benchmarks.work import Action

Sample = Callable[[Any, tuple[int, ...], Any], Any]


def actions(*, size_bytes: int, generator: str) -> dict[str, Action]:
    """Return what samples each distribution in each dtype."""
    jax.config.update("jax_enable_x64", True)  # without it there is no float64
    keys = itertools.cycle([jax.random.key(seed, impl=generator) for seed in range(16)])

    def compiled(sample: Sample, dtype: str) -> Action:
        shape, jax_dtype = (size_bytes // ITEM_BYTES[dtype],), jnp.dtype(dtype)
        function = jax.jit(lambda key: sample(key, shape, jax_dtype))

        def run() -> None:
            function(next(keys)).block_until_ready()

        return run

    samples: dict[str, Sample] = {
        "uniform": _uniform,
        "normal": _normal,
        "truncated normal": _truncated_normal,
    }
    return {
        cell(name, dtype): compiled(sample, dtype)
        for name, sample in samples.items()
        for dtype in DTYPES
    }


def _uniform(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return jax.random.uniform(key, shape, dtype, -LIMIT, LIMIT)


def _normal(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return jax.random.normal(key, shape, dtype) * jnp.asarray(STDDEV, dtype)


def _truncated_normal(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype) * jnp.asarray(STDDEV, dtype)
