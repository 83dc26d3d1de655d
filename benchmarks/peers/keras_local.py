"""Keras 3 on TensorFlow, which samples in the process itself."""

import os
from collections.abc import Sequence

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf

from benchmarks.work import Action


def actions(*, threads: int, shape: Sequence[int]) -> dict[str, Action]:
    """Return what samples a tensor, or makes an orthogonal matrix, of float32.

    TensorFlow's eager functions run before they return.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    def glorot_normal() -> None:
        keras.initializers.GlorotNormal(seed=1)(tuple(shape), "float32")

    def orthogonal() -> None:
        keras.initializers.Orthogonal(seed=1)(tuple(shape), "float32")

    return {"fetch": glorot_normal, "orthogonal": orthogonal}
