"""TensorFlow's stateful random functions, the faster ones.

They return new memory and run before they return. ``.numpy()`` would copy it, so it is not called.
Keras on TensorFlow calls the stateless ones.
"""

from typing import Any

import tensorflow as tf

from benchmarks.peers.names import DTYPES, ITEM_BYTES, LIMIT, STDDEV, cell
from benchmarks.work import Action


def actions(*, size_bytes: int, threads: int) -> dict[str, Action]:
    """Return what samples each distribution in each dtype."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    functions = {
        "uniform": (tf.random.uniform, -LIMIT, LIMIT),
        "normal": (tf.random.normal, 0.0, STDDEV),
        "truncated normal": (tf.random.truncated_normal, 0.0, STDDEV),
    }

    def sample(function: Any, first: float, second: float, dtype: str) -> Action:
        shape = (size_bytes // ITEM_BYTES[dtype],)

        def run() -> None:
            function(shape, first, second, dtype=dtype)

        return run

    return {
        cell(name, dtype): sample(*functions[name], dtype) for name in functions for dtype in DTYPES
    }
