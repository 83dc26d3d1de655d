"""What identifies the content of a whole model, on any backend."""

from typing import Any

import keras
import numpy as np

from seedbed.keras.weights import weights_of
from seedbed.spec.digests import Digest, digest_bytes, digest_of
from seedbed.spec.dtypes import as_dtype


def digests(model: Any) -> dict[str, Digest]:
    """Return the digest of each weight's bytes, by path.

    They are those that a server states for the same tensors; see the manifest of
    :func:`seedbed.keras.initialize`.
    """
    return {
        weight.path: digest_bytes(_little_endian_bytes(weight.variable))
        for weight in weights_of(model)
    }


def digest(model: Any) -> Digest:
    """Return one digest for all weights of a model, as :func:`seedbed.digest_of` does of :func:`digests`."""
    return digest_of(digests(model))


def _little_endian_bytes(variable: Any) -> bytes:
    # tf_keras's variables are TensorFlow's.
    values = (
        keras.ops.convert_to_numpy(variable.value)
        if isinstance(variable, keras.Variable)
        else variable.numpy()
    )
    # PyTorch's bfloat16 comes as float32.
    array = np.asarray(values, as_dtype(variable.dtype).numpy)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
